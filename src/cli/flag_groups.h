// Under which heading --help lists a flag.
#pragma once

#include <span>
#include <string_view>

namespace quire {

// The heading of an engine's or server's field, "Options" for one that stands
// under no other.
std::string_view flag_group(std::string_view field_name);

// The headings in the order in which help has them; others follow.
std::span<const std::string_view> flag_group_order();

inline constexpr std::string_view kObservability = "Observability";

}  // namespace quire
