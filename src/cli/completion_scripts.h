// The scripts of completion.h, a function a shell. Each script finds out which command the line has come to,
// then whether a flag's value is due, and offers what fits.
#pragma once

#include <span>
#include <string>

#include "cli/completion.h"

namespace quire {

std::string bash_completion(std::span<const CompletedCommand> commands);
std::string zsh_completion(std::span<const CompletedCommand> commands);
std::string fish_completion(std::span<const CompletedCommand> commands);

}  // namespace quire
