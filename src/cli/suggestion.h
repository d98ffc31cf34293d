// What to say about an argument that no flag or command takes.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <string_view>

namespace quire {

// "; did you mean X?" with the one of `names` that is nearest to `word`, or nothing if none is near.
std::string suggest_name(std::string_view word, std::span<const std::string> names);

// "unknown flag --max-num-seq; did you mean --max-num-seqs?". `unknown` is what parsing left over; the
// first flag among it is the one to speak of.
std::string describe_unknown(const CLI::App& command, std::span<const std::string> unknown);

}  // namespace quire
