// Sizes as people write them: "512MiB", "4 GiB", "1048576".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

// Accepts a decimal number with an optional unit B, KiB, MiB, GiB, TiB (case as written, or all lower case;
// K, M, G and T alone mean the binary unit). A bare number is bytes. Fractions are allowed with a unit
// ("1.5GiB").
Expected<int64_t> parse_byte_size(std::string_view text);

// "96.6 MiB": the largest unit that leaves a value of at least 1.
std::string format_byte_size(int64_t bytes);

}  // namespace quire
