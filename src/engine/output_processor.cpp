#include "engine/output_processor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quire {

struct OutputProcessor::Continuation {
  Continuation(const Tokenizer& tokenizer, const SamplingParams& params, std::span<const TokenId> shown,
               const StopStrings& stop_strings)
      : decoder(tokenizer, params.skip_special_tokens, shown), matcher(stop_strings) {}

  IncrementalDecoder decoder;
  StopMatcher matcher;
  std::string held;  // decoded, but maybe the start of a stop string
  int64_t decoded_bytes = 0;
  int32_t num_tokens = 0;
  bool ended = false;
  // While continuations are ranked: all of it so far.
  TextDelta kept;
  double sum_logprob = 0;
};

OutputProcessor::OutputProcessor(const Tokenizer& tokenizer, const SamplingParams& params,
                                 std::vector<TokenId> shown)
    : tokenizer_(tokenizer),
      params_(params),
      shown_(std::move(shown)),
      stop_strings_(params.stop),
      open_(params.num_continuations()) {
  continuations_.reserve(static_cast<size_t>(open_));
  for (int32_t i = 0; i < open_; ++i)
    continuations_.emplace_back(tokenizer_, params_, shown_, stop_strings_);
}

OutputProcessor::~OutputProcessor() = default;

bool OutputProcessor::process(const TokenDelta& delta, std::vector<TextDelta>& out) {
  CHECK(delta.index >= 0 && static_cast<size_t>(delta.index) < continuations_.size());
  Continuation& continuation = continuations_[delta.index];
  const bool ends = delta.finish_reason != FinishReason::kNone;
  if (continuation.ended || (delta.token < 0 && !ends)) return false;
  TextDelta text;
  text.index = delta.index;
  if (delta.token >= 0) add_token(delta, continuation, text);
  if (ends && !continuation.ended) end(delta, continuation, text);
  open_ -= continuation.ended ? 1 : 0;
  const bool stopped_here = std::holds_alternative<std::string>(text.stop_reason);
  if (!params_.ranks_draws()) {
    out.push_back(std::move(text));
    return stopped_here;
  }
  keep(std::move(text), continuation);
  if (open_ == 0) rank(out);
  return stopped_here;
}

void OutputProcessor::keep(TextDelta text, Continuation& continuation) const {
  TextDelta& kept = continuation.kept;
  for (OutputToken& token : text.tokens) {
    continuation.sum_logprob += static_cast<double>(token.logprob);
    kept.tokens.push_back(std::move(token));
  }
  kept.text += text.text;
  kept.finish_reason = text.finish_reason;
  kept.stop_reason = std::move(text.stop_reason);
}

void OutputProcessor::rank(std::vector<TextDelta>& out) {
  const auto failed = [](const Continuation* continuation) {
    const FinishReason reason = continuation->kept.finish_reason;
    return reason != FinishReason::kStop && reason != FinishReason::kLength;
  };
  const auto mean = [](const Continuation* continuation) {
    return continuation->sum_logprob / std::max(continuation->num_tokens, 1);
  };
  std::vector<Continuation*> ranked;
  for (Continuation& continuation : continuations_) ranked.push_back(&continuation);
  // One that failed comes first: the request has failed with it.
  std::ranges::stable_sort(ranked, [&](const Continuation* a, const Continuation* b) {
    return failed(a) != failed(b) ? failed(a) : mean(a) > mean(b);
  });
  for (int32_t i = 0; i < params_.n; ++i) {
    TextDelta& best = out.emplace_back(std::move(ranked[static_cast<size_t>(i)]->kept));
    best.index = i;
  }
}

void OutputProcessor::add_token(const TokenDelta& delta, Continuation& continuation, TextDelta& out) const {
  ++continuation.num_tokens;
  out.tokens.push_back({delta.token, delta.logprob, delta.top, continuation.decoded_bytes});
  if (delta.stop_token == delta.token && !params_.include_stop_str_in_output) return;
  std::string text;
  continuation.decoder.push(delta.token, text);
  add_text(text, continuation, out);
}

void OutputProcessor::add_text(std::string_view text, Continuation& continuation, TextDelta& out) const {
  continuation.decoded_bytes += static_cast<int64_t>(text.size());
  std::string& held = continuation.held;
  held += text;
  const auto match = continuation.matcher.push(text, continuation.num_tokens >= params_.min_tokens);
  if (!match) {
    const size_t visible = held.size() - continuation.matcher.held_bytes();
    out.text.append(held, 0, visible);
    held.erase(0, visible);
    return;
  }
  const std::string& stop = stop_strings_[match->index];
  const size_t after = text.size() - match->end;
  const size_t left_out = after + (params_.include_stop_str_in_output ? 0 : stop.size());
  out.text.append(held, 0, held.size() - left_out);
  out.finish_reason = FinishReason::kStop;
  out.stop_reason = stop;
  continuation.ended = true;
}

void OutputProcessor::end(const TokenDelta& delta, Continuation& continuation, TextDelta& out) const {
  std::string rest;
  continuation.decoder.finish(rest);
  add_text(rest, continuation, out);
  if (continuation.ended) return;
  out.text += continuation.held;
  out.finish_reason = delta.finish_reason;
  continuation.ended = true;
  const auto& stops = params_.stop_token_ids;
  if (delta.stop_token && std::ranges::find(stops, *delta.stop_token) != stops.end()) {
    out.stop_reason = *delta.stop_token;
  }
}

}  // namespace quire
