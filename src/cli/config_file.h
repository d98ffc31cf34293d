// --config FILE: flags in a file. It is YAML: one map, whose keys are the flags' names (with dashes or
// underscores, without the two in front) and whose values are what would stand on the command line; a list
// stands for its items with commas between them. What the command line or the environment says wins.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace quire {

inline constexpr int64_t kMaxConfigBytes = 256 << 10;

struct ConfigSetting {
  std::string name;   // as a flag, without the dashes in front
  std::string value;  // never of a map
  int line = 0;       // from 1
};

// The settings in order. Errors begin with the line: what is no YAML, other than one map of scalars and
// lists of scalars, a key twice, an anchor or an alias, a tag, a value that is missing.
Expected<std::vector<ConfigSetting>> parse_config(std::string_view yaml);

// Adds --config to a command.
void add_config_flag(CLI::App& command);

// Sets what the file that --config names says and neither command line nor environment did; without the flag
// nothing. To be called once the command line has been parsed. Errors name file, line and key.
Expected<> apply_config_file(CLI::App& command);

}  // namespace quire
