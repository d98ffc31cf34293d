// What to say about an argument that no flag or command takes.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>

namespace quire {

// "unknown flag --max-num-seq; did you mean --max-num-seqs?". `unknown` is what parsing left over; the
// first flag among it is the one to speak of.
std::string describe_unknown(const CLI::App& command, std::span<const std::string> unknown);

}  // namespace quire
