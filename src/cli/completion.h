// Completion for shells, out of the commands and flags that the program has.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace quire {

// What a shell offers where a value is due.
enum class ValueKind : uint8_t { kNone, kWord, kChoice, kFile, kFolder };

struct CompletedFlag {
  std::vector<std::string> names;  // as they are typed: "--port", "-h"
  std::string help;                // its first line, short
  ValueKind kind = ValueKind::kNone;
  std::vector<std::string> choices;
};

struct CompletedCommand {
  std::string path;  // "quire bench serve"
  std::string help;
  std::vector<CompletedFlag> flags;
  std::vector<size_t> children;  // in the list that it stands in
  CompletedFlag argument;        // what stands without a flag: no names
};

// `app` and all below it, parents before their children; what is hidden from help is left out.
std::vector<CompletedCommand> completed_commands(const CLI::App& app);

// A script that the shell (bash, zsh or fish) reads. kInvalidArgument: another shell.
Expected<std::string> completion_script(const CLI::App& app, std::string_view shell);

}  // namespace quire
