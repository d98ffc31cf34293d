#include "server/generation/logprobs_json.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/text.h"

namespace quire {
namespace {

// JSON has no infinity; vLLM's clients know this value.
constexpr float kLeastLogprob = -9999.0F;

void write_logprob(JsonWriter& json, float logprob) { json.number(std::fmax(logprob, kLeastLogprob)); }

// The alternatives, and the token itself if it is not among them.
void write_top(JsonWriter& json, const Tokenizer& tokenizer, const OutputToken& token) {
  json.begin_object();
  bool has_chosen = false;
  for (const auto& [id, logprob] : token.top) {
    json.key(token_text(tokenizer, id));
    write_logprob(json, logprob);
    has_chosen = has_chosen || id == token.id;
  }
  if (!has_chosen) {
    json.key(token_text(tokenizer, token.id));
    write_logprob(json, token.logprob);
  }
  json.end_object();
}

template <class Write>
void write_each(JsonWriter& json, std::string_view name, std::span<const OutputToken> tokens,
                Write&& write) {
  json.key(name);
  json.begin_array();
  for (const auto& token : tokens) write(token);
  json.end_array();
}

void write_chat_token(JsonWriter& json, const Tokenizer& tokenizer, TokenId id, float logprob) {
  json.field("token", token_text(tokenizer, id));
  json.key("logprob");
  write_logprob(json, logprob);
  json.key("bytes");
  json.begin_array();
  for (const char byte : tokenizer.token_bytes(id)) json.integer(static_cast<unsigned char>(byte));
  json.end_array();
}

void write_prompt_entry(JsonWriter& json, const Tokenizer& tokenizer, TokenId id, float logprob) {
  json.key(fmt::format("{}", id));
  json.begin_object();
  json.key("logprob");
  write_logprob(json, logprob);
  json.field("decoded_token", token_text(tokenizer, id));
  json.end_object();
}

}  // namespace

std::string token_text(const Tokenizer& tokenizer, TokenId id) {
  const std::string_view bytes = tokenizer.token_bytes(id);
  if (is_valid_utf8(bytes)) return std::string(bytes);
  std::string text = "bytes:";
  for (const char byte : bytes) {
    fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

int64_t num_characters(const Tokenizer& tokenizer, TokenId id, bool skip_special) {
  if (skip_special && tokenizer.is_special(id)) return 0;
  return std::ranges::count_if(tokenizer.token_bytes(id),
                               [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

void write_completion_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                               std::span<const OutputToken> tokens) {
  json.begin_object();
  write_each(json, "tokens", tokens,
             [&](const auto& token) { json.string(token_text(tokenizer, token.id)); });
  write_each(json, "token_logprobs", tokens, [&](const auto& token) {
    if (std::isnan(token.logprob)) return json.null();
    write_logprob(json, token.logprob);
  });
  write_each(json, "top_logprobs", tokens, [&](const auto& token) {
    if (std::isnan(token.logprob)) return json.null();
    write_top(json, tokenizer, token);
  });
  write_each(json, "text_offset", tokens, [&](const auto& token) { json.integer(token.text_offset); });
  json.end_object();
}

void write_token_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                          std::span<const OutputToken> tokens) {
  json.begin_array();
  for (const auto& token : tokens) {
    json.begin_object();
    write_chat_token(json, tokenizer, token.id, token.logprob);
    json.key("top_logprobs");
    json.begin_array();
    for (const auto& [id, logprob] : token.top) {
      json.begin_object();
      write_chat_token(json, tokenizer, id, logprob);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_chat_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                         std::span<const OutputToken> tokens) {
  json.begin_object();
  json.key("content");
  write_token_logprobs(json, tokenizer, tokens);
  json.end_object();
}

void write_prompt_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                           std::span<const Generation::PromptToken> tokens) {
  json.begin_array();
  json.null();  // nothing comes before the first token
  for (const auto& token : tokens) {
    json.begin_object();
    write_prompt_entry(json, tokenizer, token.token, token.logprob);
    for (const auto& [id, logprob] : token.top) {
      if (id != token.token) write_prompt_entry(json, tokenizer, id, logprob);
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace quire
