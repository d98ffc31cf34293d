#include "server/generation/choice_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/rng.h"

namespace quire {
namespace {

uint64_t id_seed(std::string_view answer_id, int32_t choice) {
  auto seed = static_cast<uint64_t>(choice);
  for (const char c : answer_id) seed = mix64(seed ^ static_cast<unsigned char>(c));
  return seed;
}

}  // namespace

void ChoiceResult::add_call(ChoiceCall call) {
  has_whole_call = has_whole_call || call.whole;
  if (call.begins() || calls.empty()) return calls.push_back(std::move(call));
  calls.back().arguments += call.arguments;
  calls.back().whole = call.whole;
}

ChoiceParser::ChoiceParser(const OutputSpec& spec, std::string_view answer_id, int32_t choice)
    : style_(spec.tool_style), parser_(spec), id_seed_(id_seed(answer_id, choice)) {}

int64_t ChoiceParser::take(const TextDelta& delta, bool with_tokens, ChoiceResult& choice) {
  ParsedOutput parsed;
  parser_.push(delta.text, parsed);
  const bool ended = delta.finish_reason != FinishReason::kNone;
  if (ended) parser_.finish(parsed);
  if (with_tokens) {
    content_tokens_.add(delta.tokens);
    content_tokens_.take(parsed.content_spans, parser_, ended || done(), choice.content_tokens);
  }
  const size_t text_before = choice.text.size();
  choice.text += parsed.content;
  choice.reasoning += parsed.reasoning;
  for (size_t i = 0; i < parsed.calls.size(); ++i) {
    auto& [name, arguments, whole] = parsed.calls[i];
    const bool begins = !name.empty();
    if (begins) ++choice.num_calls;
    choice.add_call({.index = choice.num_calls - 1,
                     .id = begins ? next_id() : std::string(),
                     .name = std::move(name),
                     .arguments = std::move(arguments),
                     .whole = whole,
                     .text_before = text_before + parsed.places[i].content,
                     .begins_at = parsed.places[i].num_bytes});
  }
  return count_reasoning(delta);
}

// While reasoning goes on, all tokens are, its mark's too, which is known when it is whole. Once it has
// ended, those that begin before its end.
int64_t ChoiceParser::count_reasoning(const TextDelta& delta) {
  if (reasoning_ended_) return 0;
  const int64_t before = reasoning_tokens_;
  if (parser_.in_reasoning()) {
    reasoning_tokens_ = num_tokens_ + std::ssize(delta.tokens);
  } else if (parser_.reasoning_bytes() > 0) {
    reasoning_ended_ = true;
    reasoning_tokens_ = num_tokens_ + std::ranges::count_if(delta.tokens, [&](const auto& token) {
                          return token.text_offset < parser_.reasoning_bytes();
                        });
  }
  num_tokens_ += std::ssize(delta.tokens);
  return reasoning_tokens_ - before;
}

std::string ChoiceParser::next_id() {
  const uint64_t first = random_bits(id_seed_, num_ids_++), second = random_bits(id_seed_, num_ids_++);
  if (call_style(style_).short_ids) return fmt::format("{:09x}", first >> 28);
  return fmt::format("call_{:016x}{:08x}", first, second >> 32);
}

}  // namespace quire
