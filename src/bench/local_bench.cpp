#include "bench/local_bench.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

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
  std::vector<int64_t> token_times_ns;  // of the engine's clock, so that waking up late does not count
  bool ended = false;
};

Expected<std::vector<Flight>> submit_all(LLMEngine& engine, std::span<const WorkItem> workload) {
  std::vector<EngineRequest> requests;
  for (const WorkItem& item : workload) {
    requests.push_back(
        {item.prompt, std::make_shared<const SamplingParams>(greedy_params(item.max_tokens))});
  }
  auto streams = engine.submit(std::move(requests));
  if (!streams) return std::unexpected(streams.error());
  std::vector<Flight> flights;
  for (auto& stream : *streams) flights.push_back({.stream = std::move(stream), .token_times_ns = {}});
  return flights;
}

// Notes what has arrived. `more` is what poll() or wait() said.
Expected<> take(Flight& flight, std::vector<TokenDelta>& deltas, bool more) {
  for (const TokenDelta& delta : deltas) {
    if (delta.token >= 0) flight.token_times_ns.push_back(delta.time_ns);
    if (delta.finish_reason == FinishReason::kError || delta.finish_reason == FinishReason::kAborted) {
      return fail(ErrorCode::kInternal, "a request ended with '{}'", to_string(delta.finish_reason));
    }
  }
  flight.ended = !more;
  deltas.clear();
  return {};
}

Expected<> take_all(Flight& flight, std::vector<TokenDelta>& deltas) {
  while (!flight.ended) {
    const bool more = flight.stream->wait(deltas);
    if (auto taken = take(flight, deltas, more); !taken) return taken;
  }
  return {};
}

// Tokens a second from the moment when every request has its first token until the first one has its last.
std::optional<double> rate_together(std::span<const Flight> flights) {
  int64_t from_ns = std::numeric_limits<int64_t>::min();
  int64_t to_ns = std::numeric_limits<int64_t>::max();
  for (const Flight& flight : flights) {
    from_ns = std::max(from_ns, flight.token_times_ns.front());
    to_ns = std::min(to_ns, flight.token_times_ns.back());
  }
  if (to_ns <= from_ns) return std::nullopt;
  int64_t tokens = 0;
  for (const Flight& flight : flights) {
    tokens += std::ranges::count_if(flight.token_times_ns,
                                    [&](int64_t time_ns) { return time_ns > from_ns && time_ns <= to_ns; });
  }
  return static_cast<double>(tokens) / (static_cast<double>(to_ns - from_ns) * 1e-9);
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
  auto flights = submit_all(engine, items);
  if (!flights) return std::unexpected(flights.error());

  std::vector<TokenDelta> deltas;
  int64_t started_ns = start_ns;
  for (Flight& flight : *flights) {
    if (auto taken = take_all(flight, deltas); !taken) return std::unexpected(taken.error());
    if (std::cmp_not_equal(flight.token_times_ns.size(), spec.output_len)) {
      return fail(ErrorCode::kInternal, "a request for {} tokens gave {}", spec.output_len,
                  flight.token_times_ns.size());
    }
    started_ns = std::max(started_ns, flight.token_times_ns.front());
  }
  BatchTiming timing;
  timing.latency_s = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  timing.prefill_tokens_per_s = static_cast<double>(spec.batch_size) * spec.input_len /
                                (static_cast<double>(started_ns - start_ns) * 1e-9);
  timing.decode_tokens_per_s = rate_together(*flights);
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
    if (auto taken = take_all(flight, deltas); !taken) return std::unexpected(taken.error());
    timing.output_tokens += static_cast<int64_t>(flight.token_times_ns.size());
  }
  timing.elapsed_s = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  return timing;
}

}  // namespace quire
