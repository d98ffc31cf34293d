// Keys in a file, each with a name and limits of its own. YAML:
//
//   keys:
//     - name: alice                  # in the log and in messages; what belongs to a key goes by it
//       key: sk-...                  # or its SHA-256, in hexadecimal, as `sha256:`
//       requests_per_minute: 60      # these three may be left out: no limit
//       tokens_per_minute: 20000     # of prompts and answers
//       max_concurrency: 4
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/access/api_keys.h"

namespace quire {

// Errors (param api_key_file) name the file and, where they can, the key and field at fault.
Expected<std::vector<NamedKey>> read_api_key_file(const std::string& path);

// The same of the file's text.
Expected<std::vector<NamedKey>> parse_api_keys(std::string_view yaml);

}  // namespace quire
