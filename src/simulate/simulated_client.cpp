#include "simulate/simulated_client.h"

#include <algorithm>

#include "scheduler/kv_demand.h"

namespace quire {
namespace {

bool one_in(Rng& rng, uint64_t count) { return rng.below(count) == 0; }

int32_t draw(Rng& rng, int32_t low, int32_t high) {
  return high <= low ? low : low + static_cast<int32_t>(rng.below(static_cast<uint64_t>(high - low) + 1));
}

void draw_beams(Rng& rng, SamplingParams& params) {
  params.use_beam_search = true;
  params.logprobs.reset();
  params.length_penalty = draw(rng, -2, 4) * 0.5;
  params.early_stopping = static_cast<EarlyStopping>(draw(rng, 0, 2));
}

// Halves what is asked for until it fits `num_blocks`, or is a single token.
void shrink(SamplingParams& params, const ClientLimits& limits, int32_t num_prompt_tokens,
            int32_t num_blocks) {
  while (peak_blocks(num_prompt_tokens, params.max_tokens, params.num_sequences(), limits.block_size) >
         num_blocks) {
    if (params.best_of && *params.best_of > params.n) {
      params.best_of = std::max(params.n, *params.best_of / 2);
    } else if (params.n > 1) {
      params.n /= 2;
      if (params.best_of) params.best_of = params.n;
    } else if (params.max_tokens > 1) {
      params.max_tokens /= 2;
    } else {
      return;
    }
  }
}

void draw_lengths(Rng& rng, SamplingParams& params, const ClientLimits& limits, int32_t num_prompt_tokens) {
  if (one_in(rng, 3)) params.n = draw(rng, 1, limits.max_num_seqs);
  if (one_in(rng, 4)) params.best_of = draw(rng, params.n, limits.max_num_seqs);
  // At most what the context leaves, but for a few.
  const int32_t rest = std::max(1, limits.max_model_len - num_prompt_tokens);
  params.max_tokens = one_in(rng, 2) ? rest : draw(rng, 1, rest);
  // Most leave room for others, and for prefixes that are pinned.
  if (num_prompt_tokens > 0 && !one_in(rng, 40)) {
    shrink(params, limits, num_prompt_tokens, one_in(rng, 4) ? limits.num_blocks : limits.num_blocks / 2);
  }
  if (one_in(rng, 80)) params.max_tokens += draw(rng, 1, limits.max_model_len);
  if (one_in(rng, 80)) params.n += limits.max_num_seqs;
  if (params.best_of) params.best_of = std::max(*params.best_of, params.n);
}

SamplingParams draw_params(Rng& rng, const ClientLimits& limits, int32_t num_prompt_tokens) {
  SamplingParams params;
  draw_lengths(rng, params, limits, num_prompt_tokens);
  params.min_tokens = one_in(rng, 3) ? draw(rng, 0, params.max_tokens) : 0;
  params.temperature = one_in(rng, 3) ? 0 : 1;
  params.seed = static_cast<int64_t>(rng());
  params.ignore_eos = !one_in(rng, 3);
  params.eos_token_ids = {0};
  if (one_in(rng, 3)) params.stop_token_ids = {1, 2};
  if (one_in(rng, 3)) params.logprobs = draw(rng, 0, 3);
  if (one_in(rng, 3)) params.prompt_logprobs = draw(rng, 0, 3);
  if (one_in(rng, 3)) draw_beams(rng, params);
  return params;
}

}  // namespace

std::vector<TokenId> draw_prompt(Rng& rng, const ClientLimits& limits, int32_t num_tokens) {
  std::vector<TokenId> prompt;
  const uint64_t prefix = rng.below(3);
  const int32_t num_common = prefix < 2 ? draw(rng, num_tokens / 2, num_tokens) : 0;
  for (int32_t i = 0; i < num_common; ++i) {
    const uint64_t bits = random_bits(prefix, static_cast<uint64_t>(i));
    prompt.push_back(static_cast<TokenId>(bits % static_cast<uint64_t>(limits.vocab_size)));
  }
  while (std::ssize(prompt) < num_tokens) prompt.push_back(draw(rng, 0, limits.vocab_size - 1));
  return prompt;
}

ClientPlan draw_client(Rng& rng, const ClientLimits& limits) {
  ClientPlan plan;
  plan.arrival_ns = static_cast<int64_t>(rng.below(static_cast<uint64_t>(limits.arrival_window_ns)));
  int32_t num_prompt_tokens = draw(rng, 1, limits.max_model_len - 1);
  if (!one_in(rng, 4)) num_prompt_tokens = draw(rng, 1, std::max(1, num_prompt_tokens / 2));
  if (one_in(rng, 80)) num_prompt_tokens = draw(rng, 0, 1) * limits.max_model_len;
  plan.prompt = draw_prompt(rng, limits, num_prompt_tokens);
  if (one_in(rng, 4)) plan.cache_salt = one_in(rng, 2) ? "mine" : "a longer salt, which is no short string";
  plan.params = draw_params(rng, limits, num_prompt_tokens);
  plan.tenant = draw(rng, 0, limits.num_tenants - 1);
  if (limits.have_priorities) plan.priority = draw(rng, -2, 2);

  if (one_in(rng, 6)) plan.leaves_after_steps = draw(rng, 0, 20);
  if (one_in(rng, 6)) plan.leaves_after_tokens = draw(rng, 1, plan.params.max_tokens);
  if (one_in(rng, 4)) {
    const int32_t count = draw(rng, 1, plan.params.n);
    for (int32_t i = 0; i < count; ++i) {
      plan.finishes.push_back({draw(rng, 0, plan.params.n - 1), draw(rng, 0, plan.params.max_tokens)});
    }
  }
  return plan;
}

bool Transcript::ended() const {
  return std::ranges::all_of(continuations,
                             [](const auto& c) { return c.finish_reason != FinishReason::kNone; });
}

int64_t Transcript::num_tokens() const {
  int64_t total = 0;
  for (const auto& continuation : continuations) total += std::ssize(continuation.tokens);
  return total;
}

Expected<> Transcript::add(const TokenDelta& delta) {
  if (delta.index < 0 || delta.index >= std::ssize(continuations)) {
    return fail(ErrorCode::kInternal, "a delta of continuation {}", delta.index);
  }
  for (const auto& scored : delta.prompt) {
    if (num_tokens() > 0 || scored.position != std::ssize(prompt_logprobs) + 1) {
      return fail(ErrorCode::kInternal,
                  "the prompt's log-probability at {} comes after {} others and {} tokens", scored.position,
                  prompt_logprobs.size(), num_tokens());
    }
    prompt_logprobs.push_back(scored.logprob);
  }
  Continuation& continuation = continuations[static_cast<size_t>(delta.index)];
  if (delta.token < 0 && delta.finish_reason == FinishReason::kNone) return {};  // of the prompt alone
  if (continuation.finish_reason != FinishReason::kNone) {
    return fail(ErrorCode::kInternal, "continuation {} goes on after its end", delta.index);
  }
  num_cached_tokens += delta.num_cached_tokens;
  if (delta.token >= 0) {
    continuation.tokens.push_back(delta.token);
    continuation.logprobs.push_back(delta.logprob);
    continuation.num_top.push_back(delta.top.size());
  }
  continuation.finish_reason = delta.finish_reason;
  continuation.stop_token = delta.stop_token;
  return {};
}

std::optional<Error> SimulatedClient::arrive(LLMEngine& engine) {
  arrived_ = true;
  std::vector<EngineRequest> requests;
  requests.push_back({.prompt = plan_.prompt,
                      .params = std::make_shared<const SamplingParams>(plan_.params),
                      .tenant = plan_.tenant,
                      .priority = plan_.priority,
                      .cache_salt = plan_.cache_salt});
  auto streams = engine.submit(std::move(requests));
  if (!streams) return streams.error();
  stream_ = std::move(streams->front());
  return std::nullopt;
}

Expected<> SimulatedClient::take_turn(LLMEngine& engine) {
  if (stream_ == nullptr) return {};
  deltas_.clear();
  stream_->poll(deltas_);
  for (const TokenDelta& delta : deltas_) {
    if (auto added = transcript_.add(delta); !added) return added;
  }
  const bool had_enough =
      plan_.leaves_after_tokens && transcript_.num_tokens() >= *plan_.leaves_after_tokens;
  const bool waited_enough = plan_.leaves_after_steps && num_steps_ >= *plan_.leaves_after_steps;
  if (!left_ && (had_enough || waited_enough)) {
    engine.abort(stream_->id());
    left_ = true;
  }
  for (const auto& [index, after_tokens] : plan_.finishes) {
    const auto& continuation = transcript_.continuations[static_cast<size_t>(index)];
    const bool open = continuation.finish_reason == FinishReason::kNone;
    if (open && std::ssize(continuation.tokens) >= after_tokens) engine.finish(stream_->id(), index);
  }
  ++num_steps_;
  return {};
}

}  // namespace quire
