// Pinned prefixes as the API shows them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/block_claims.h"
#include "server/served_model.h"

namespace quire {

// Names differ between the prefixes of a server, and from those of the one before it.
std::string prefix_name(const PinnedPrefix& prefix);

// Null if none of them has that name.
const PinnedPrefix* find_prefix(std::span<const PinnedPrefix> prefixes, std::string_view name);

std::string prefix_json(const ServedModel& model, const PinnedPrefix& prefix);
std::string prefix_list_json(const ServedModel& model, std::span<const PinnedPrefix> prefixes);

}  // namespace quire
