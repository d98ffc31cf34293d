// Prefixes that are pinned before anybody is served: a file with the body of one POST /v1/prefixes a line.
// With API keys, each of them gets its own, or the one that the line's `key` numbers.
#pragma once

#include <string>

#include "base/error.h"
#include "base/types.h"
#include "server/served_model.h"

namespace quire {

// Waits until all are computed; progress goes to the log. Errors name the line and the field, and leave what
// the lines before it have pinned.
Expected<> pin_prefix_file(const ServedModel& model, const std::string& path, TenantId num_keys);

}  // namespace quire
