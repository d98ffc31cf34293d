#include "simulate/simulated_pins.h"

#include <algorithm>
#include <set>

#include "memory/block_table.h"

namespace quire {

SimulatedPins::SimulatedPins(Rng& rng, const ClientLimits& limits, const LLMEngineOptions& options)
    : options_(options) {
  if (rng.below(options.enable_prefix_caching ? 2 : 20) > 0) return;
  const uint64_t num_pins = 1 + rng.below(12);
  for (uint64_t i = 0; i < num_pins; ++i) {
    Pin& pin = pins_.emplace_back();
    pin.arrival_ns = rng.below(2) == 0
                         ? 0
                         : static_cast<int64_t>(rng.below(static_cast<uint64_t>(limits.arrival_window_ns)));
    const auto longest =
        static_cast<uint64_t>(options.num_blocks * options.block_size / 2 + options.block_size);
    pin.prompt = draw_prompt(rng, limits, static_cast<int32_t>(1 + rng.below(longest)));
    pin.tenant = static_cast<TenantId>(rng.below(static_cast<uint64_t>(limits.num_tenants)));
    if (rng.below(8) == 0) pin.cache_salt = "mine";
    pin.leaves_after_steps = static_cast<int64_t>(rng.below(8) == 0 ? rng.below(4) : 1'000'000);
    pin.keeps_for_steps = static_cast<int64_t>(rng.below(300));
  }
}

Expected<> SimulatedPins::let_arrive(LLMEngine& engine, int64_t now_ns, int64_t largest_peak) {
  for (Pin& pin : pins_) {
    if (pin.state != State::kToCome || pin.arrival_ns > now_ns) continue;
    if (auto arrived = arrive(pin, engine, largest_peak); !arrived) return arrived;
  }
  return {};
}

Expected<> SimulatedPins::arrive(Pin& pin, LLMEngine& engine, int64_t largest_peak) {
  for (const Pin& other : pins_) {
    if (other.state != State::kComputing) continue;
    largest_peak = std::max<int64_t>(largest_peak, std::ssize(other.prompt) / options_.block_size);
  }
  SamplingParams params;
  params.max_tokens = 1;
  std::vector<EngineRequest> requests(1);
  requests[0] = {.prompt = pin.prompt,
                 .params = std::make_shared<const SamplingParams>(params),
                 .tenant = pin.tenant,
                 .cache_salt = pin.cache_salt,
                 .pins = true};
  auto streams = engine.submit(std::move(requests));
  if (auto judged = judge(pin, streams ? nullptr : &streams.error(), largest_peak); !judged) return judged;
  pin.state = streams ? State::kComputing : State::kGone;
  if (streams) pin.stream = std::move(streams->front());
  return {};
}

Expected<> SimulatedPins::judge(const Pin& pin, const Error* refusal, int64_t largest_peak) const {
  if (refusal != nullptr && refusal->code == ErrorCode::kResourceExhausted) return {};  // the queue is full
  const int64_t blocks = std::ssize(pin.prompt) / options_.block_size;
  const int64_t before = num_blocks(), after = count_blocks(false, &pin);
  std::optional<ErrorCode> wanted;
  if (!options_.enable_prefix_caching) {
    wanted = ErrorCode::kUnsupported;
  } else if (blocks == 0 || blocks * options_.block_size + 1 > options_.max_model_len ||
             after > options_.num_blocks / 2) {
    wanted = ErrorCode::kInvalidArgument;
  } else if (after > before && largest_peak > options_.num_blocks - after) {
    wanted = ErrorCode::kUnavailable;
  }
  const bool as_wanted = refusal == nullptr ? !wanted : wanted == refusal->code;
  if (as_wanted) return {};
  return fail(ErrorCode::kInternal, "a prefix of {} blocks beside {}, and up to {} of requests: {}", blocks,
              before, largest_peak, refusal == nullptr ? "was taken" : refusal->message);
}

Expected<> SimulatedPins::take_turn(LLMEngine& engine) {
  ++num_turns_;
  for (Pin& pin : pins_) {
    if (auto polled = poll(pin, engine); !polled) return polled;
  }
  if (engine.stats().num_pinned_blocks != count_blocks(true)) {
    return fail(ErrorCode::kInternal, "{} blocks are pinned, but {} should be",
                engine.stats().num_pinned_blocks, count_blocks(true));
  }
  for (Pin& pin : pins_) {
    if (pin.state != State::kPinned || ++pin.num_steps <= pin.keeps_for_steps) continue;
    if (!engine.unpin(pin.stream->id(), pin.tenant) || engine.unpin(pin.stream->id(), pin.tenant)) {
      return fail(ErrorCode::kInternal, "prefix {} cannot be given up once", pin.stream->id());
    }
    pin.state = State::kGone;
  }
  return {};
}

Expected<> SimulatedPins::poll(Pin& pin, LLMEngine& engine) {
  if (pin.state != State::kComputing) return {};
  deltas_.clear();
  if (pin.stream->poll(deltas_)) {
    if (pin.num_steps++ == pin.leaves_after_steps) engine.abort(pin.stream->id());
    return {};
  }
  const bool pinned = deltas_.back().finish_reason == FinishReason::kLength;
  const auto listed = engine.pinned_prefixes(pin.tenant);
  const bool is_listed = std::ranges::find(listed, pin.stream->id(), &PinnedPrefix::id) != listed.end();
  if (pinned != is_listed) {
    return fail(ErrorCode::kInternal, "a prefix ended with '{}' and is {}listed",
                to_string(deltas_.back().finish_reason), is_listed ? "" : "not ");
  }
  pin.state = pinned ? State::kPinned : State::kGone;
  pin.num_steps = 0;
  pin.pinned_turn = num_turns_;
  num_pinned_ += pinned ? 1 : 0;
  return {};
}

bool SimulatedPins::ended() const {
  return std::ranges::all_of(pins_, [](const Pin& pin) { return pin.state == State::kGone; });
}

int64_t SimulatedPins::next_arrival_ns() const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const Pin& pin : pins_) {
    if (pin.state == State::kToCome) next = std::min(next, pin.arrival_ns);
  }
  return next;
}

int64_t SimulatedPins::count_blocks(bool pinned_only, const Pin* another) const {
  std::set<std::tuple<TenantId, std::string, std::vector<TokenId>>> histories;
  for (const Pin& pin : pins_) {
    const bool counts = pin.state == State::kPinned || (pin.state == State::kComputing && !pinned_only);
    if (!counts && &pin != another) continue;
    for (auto size = options_.block_size; size <= std::ssize(pin.prompt); size += options_.block_size) {
      histories.emplace(pin.tenant, pin.cache_salt,
                        std::vector<TokenId>(pin.prompt.begin(), pin.prompt.begin() + size));
    }
  }
  return std::ssize(histories);
}

int64_t SimulatedPins::num_found(const ClientPlan& plan, int64_t since_turn) const {
  if (plan.params.prompt_logprobs) return 0;
  int64_t found = 0;
  for (const Pin& pin : pins_) {
    if (pin.state != State::kPinned || pin.pinned_turn > since_turn) continue;
    if (pin.tenant != plan.tenant || pin.cache_salt != plan.cache_salt) continue;
    const int64_t most = std::min(std::ssize(pin.prompt), std::ssize(plan.prompt) - 1);
    int64_t blocks = 0;
    for (int64_t end = options_.block_size; end <= most; end += options_.block_size) {
      if (!std::equal(pin.prompt.begin(), pin.prompt.begin() + end, plan.prompt.begin())) break;
      ++blocks;
    }
    found = std::max(found, blocks);
  }
  return found;
}

}  // namespace quire
