// The command line: `quire COMMAND [flags]`.
#pragma once

#include <span>
#include <string>

namespace quire {

// Runs what `arguments` (without the program's name) ask for. Results go to stdout, errors as one line to
// stderr. Exit status: 0, 1 for a failure, 2 for a command line that cannot be understood.
int run_cli(std::span<const std::string> arguments);

}  // namespace quire
