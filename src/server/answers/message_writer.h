// Answers as Anthropic's Messages API has them: content blocks, and streams of named events that begin with
// message_start and end with message_stop.
#pragma once

#include <memory>

#include "server/generation/answer_writer.h"

namespace quire {

inline constexpr std::string_view kMessageIdPrefix = "msg_";

// For a request with one choice.
std::unique_ptr<AnswerWriter> make_message_writer();

}  // namespace quire
