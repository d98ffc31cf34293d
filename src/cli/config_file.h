// --config FILE: flags in a file. It is YAML: one map, whose keys are the flags' names (with dashes or
// underscores, without the two in front) and whose values are what would stand on the command line; a list
// stands for its items with commas between them. What the command line or the environment says wins.
// One file is for all commands: each passes over those flags of `serve` that it lacks.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <utility>
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

// The flags that commands with --config require. CLI11 would miss them before a file could set them, so they
// are taken from it.
class RequiredFlags {
 public:
  // Of `app`, which outlives this, and of all its subcommands; before the command line is parsed.
  explicit RequiredFlags(CLI::App& app) { take(app); }

  // To be called after apply_config_file(command): an error if nobody has set one.
  Expected<> check(const CLI::App& command) const;

 private:
  void take(CLI::App& app);

  std::vector<std::pair<const CLI::App*, const CLI::Option*>> flags_;
};

}  // namespace quire
