// The arguments of a call as a model wrote them, which is not as every reader of JSON wants them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quire {

// The text of a JSON object that says what `text` does and that any parser takes: what is cut off is closed
// after the last value that is whole, a surrogate without its partner is U+FFFD, and a number is within what
// doubles hold (integers beyond 64 bits become doubles). Names may still come twice. None if `text` is not
// how a JSON object begins, at most JsonScanner::kMaxDepth deep; white space around it is of no matter.
std::optional<std::string> readable_arguments(std::string_view text);

}  // namespace quire
