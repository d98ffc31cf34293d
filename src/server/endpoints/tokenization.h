// Texts and messages as token ids, and back.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply tokenize(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply detokenize(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_tokenizer_info(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
