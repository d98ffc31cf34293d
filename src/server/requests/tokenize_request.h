// The bodies of POST /tokenize and /detokenize: vLLM's fields, and parse_special.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "server/requests/chat_request.h"

namespace quire {

struct TokenizeRequest {
  std::string model;
  std::optional<std::string> prompt;  // this, or messages
  std::vector<ChatMessage> messages;
  std::vector<Tool> tools;  // beside messages
  TemplateOptions rendering;
  std::optional<bool> add_special_tokens;  // the model's BOS; by default for a prompt, not for messages
  std::optional<bool> parse_special;  // whether special tokens' spellings in a prompt are tokens; they are
  bool return_token_strs = false;
};

struct DetokenizeRequest {
  std::string model;
  std::vector<TokenId> tokens;
};

// The tables of their fields. `request` outlives them.
std::vector<FieldRule> tokenize_rules(TokenizeRequest& request);
std::vector<FieldRule> detokenize_rules(DetokenizeRequest& request);

Expected<TokenizeRequest> read_tokenize_request(const JsonFields& body);
Expected<DetokenizeRequest> read_detokenize_request(const JsonFields& body);

}  // namespace quire
