#include "bench/local_bench.h"

#include <algorithm>
#include <memory>

namespace quire {
namespace {

constexpr TokenId kReservedTokens = 100;

SamplingParams greedy_params(int32_t max_tokens) {
  SamplingParams params;
  params.temperature = 0;
  params.max_tokens = max_tokens;
  params.ignore_eos = true;
  return params;
}

// A request under way, as its consumer sees it.
struct Flight {
  std::shared_ptr<RequestStream> stream;
  int32_t tokens = 0;
  bool ended = false;
};

Expected<std::vector<Flight>> submit_all(LLMEngine& engine, std::span<const WorkItem> workload) {
  std::vector<Flight> flights;
  for (const WorkItem& item : workload) {
    auto stream = engine.submit(item.prompt, greedy_params(item.max_tokens));
    if (!stream) {
      for (const Flight& flight : flights) engine.abort(flight.stream->id());
      return std::unexpected(stream.error());
    }
    flights.push_back({std::move(*stream)});
  }
  return flights;
}

// Counts what has arrived. `more` is what poll() or wait() said.
Expected<> take(Flight& flight, std::vector<TokenDelta>& deltas, bool more) {
  for (const TokenDelta& delta : deltas) {
    if (delta.token >= 0) ++flight.tokens;
    if (delta.finish_reason == FinishReason::kError || delta.finish_reason == FinishReason::kAborted) {
      return fail(ErrorCode::kInternal, "a request ended with '{}'", to_string(delta.finish_reason));
    }
  }
  flight.ended = !more;
  deltas.clear();
  return {};
}

// When a batch as a whole came so far, and how many tokens it had then.
struct Moment {
  double at_s = 0;
  int64_t tokens = 0;
};

// Waits for one of the batch's requests that has not ended, then takes what all of them have: one wake-up a
// step. The last in order is admitted last, so when it has a token of a step, so have the others.
Expected<> take_step(std::vector<Flight>& flights, std::vector<TokenDelta>& deltas) {
  const auto open =
      std::find_if(flights.rbegin(), flights.rend(), [](const Flight& f) { return !f.ended; });
  const bool more = open->stream->wait(deltas);
  if (auto taken = take(*open, deltas, more); !taken) return taken;
  for (Flight& flight : flights) {
    if (flight.ended || &flight == &*open) continue;
    const bool rest = flight.stream->poll(deltas);
    if (auto taken = take(flight, deltas, rest); !taken) return taken;
  }
  return {};
}

bool any_ended(const std::vector<Flight>& flights, int32_t output_len) {
  return std::any_of(flights.begin(), flights.end(),
                     [&](const Flight& f) { return f.ended || f.tokens >= output_len; });
}

bool all_ended(const std::vector<Flight>& flights) {
  return std::all_of(flights.begin(), flights.end(), [](const Flight& f) { return f.ended; });
}

bool all_started(const std::vector<Flight>& flights) {
  return std::all_of(flights.begin(), flights.end(), [](const Flight& f) { return f.tokens > 0; });
}

int64_t total_tokens(const std::vector<Flight>& flights) {
  int64_t total = 0;
  for (const Flight& flight : flights) total += flight.tokens;
  return total;
}

}  // namespace

TokenId first_random_token(int32_t vocab_size) { return std::min(kReservedTokens, vocab_size / 2); }

Expected<BatchTiming> time_batch(LLMEngine& engine, const BatchSpec& spec, int32_t vocab_size, int64_t seed,
                                 const Clock& clock) {
  const WorkloadSpec workload{.num_prompts = spec.batch_size,
                              .input_len = {.median = static_cast<double>(spec.input_len)},
                              .output_len = {.median = static_cast<double>(spec.output_len)},
                              .first_token = first_random_token(vocab_size),
                              .vocab_size = vocab_size,
                              .seed = seed};
  if (auto checked = validate(workload); !checked) return std::unexpected(checked.error());
  const std::vector<WorkItem> items = make_workload(workload);
  const int64_t start_ns = clock.now_ns();
  const auto elapsed_s = [&] { return static_cast<double>(clock.now_ns() - start_ns) * 1e-9; };
  auto flights = submit_all(engine, items);
  if (!flights) return std::unexpected(flights.error());

  std::optional<Moment> started, first_end;
  std::vector<TokenDelta> deltas;
  while (!all_ended(*flights)) {
    if (auto taken = take_step(*flights, deltas); !taken) return std::unexpected(taken.error());
    const Moment now{elapsed_s(), total_tokens(*flights)};
    if (!started && all_started(*flights)) started = now;
    if (!first_end && any_ended(*flights, spec.output_len)) first_end = now;
  }
  BatchTiming timing;
  timing.latency_s = elapsed_s();
  if (!started || total_tokens(*flights) != int64_t{spec.batch_size} * spec.output_len) {
    return fail(ErrorCode::kInternal, "{} requests for {} tokens each gave {} tokens", spec.batch_size,
                spec.output_len, total_tokens(*flights));
  }
  timing.prefill_tokens_per_s = static_cast<double>(spec.batch_size) * spec.input_len / started->at_s;
  if (first_end->at_s > started->at_s) {
    timing.decode_tokens_per_s =
        static_cast<double>(first_end->tokens - started->tokens) / (first_end->at_s - started->at_s);
  }
  return timing;
}

Expected<ThroughputTiming> time_workload(LLMEngine& engine, std::span<const WorkItem> workload,
                                         const Clock& clock) {
  ThroughputTiming timing;
  for (const WorkItem& item : workload) timing.input_tokens += static_cast<int64_t>(item.prompt.size());
  const int64_t start_ns = clock.now_ns();
  auto flights = submit_all(engine, workload);
  if (!flights) return std::unexpected(flights.error());
  std::vector<TokenDelta> deltas;
  for (Flight& flight : *flights) {
    while (!flight.ended) {
      const bool more = flight.stream->wait(deltas);
      if (auto taken = take(flight, deltas, more); !taken) return std::unexpected(taken.error());
    }
    timing.output_tokens += flight.tokens;
  }
  timing.elapsed_s = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  return timing;
}

}  // namespace quire
