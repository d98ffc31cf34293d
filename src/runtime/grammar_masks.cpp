#include "runtime/grammar_masks.h"

#include <time.h>

#include <algorithm>

#include "base/thread_name.h"

namespace quire {

int64_t thread_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

GrammarMasks::~GrammarMasks() {
  if (!thread_.joinable()) return;
  stop_.store(true);
  num_started_.fetch_add(1);
  num_started_.notify_one();
  thread_.join();
}

void GrammarMasks::begin_step(const StepInput& input) {
  for (const SlotId slot : input.ends) slots_[static_cast<size_t>(slot)].matcher.reset();
  for (const RowFork& branch : input.branches) fork(branch);
}

void GrammarMasks::fork(const RowFork& fork) {
  const Slot& parent = slots_[static_cast<size_t>(fork.parent)];
  Slot& child = slots_[static_cast<size_t>(fork.child)];
  child.matcher.reset();
  if (!parent.matcher || parent.lost) return;
  child.matcher = parent.matcher->fork();
  child.left_ns = parent.left_ns;
  child.lost = false;
  // The child has the parent's history up to num_tokens, and tokens of its own behind it.
  const int32_t num_shared = std::max(fork.num_tokens - rows_.row(fork.parent).num_prompt_tokens, 0);
  child.matcher->rollback(std::max(child.matcher->num_accepted() - num_shared, 0));
}

void GrammarMasks::start(std::span<const SampleWork> samples) {
  pending_.clear();
  for (const SampleWork& sample : samples) {
    const WorkerRow& row = rows_.row(sample.slot);
    if (row.sampling != nullptr && row.sampling->grammar != nullptr) pending_.push_back(sample.slot);
  }
  if (pending_.empty()) return;
  if (!thread_.joinable()) {
    thread_ = std::thread([this] {
      set_thread_name("quire-masks");
      work();
    });
  }
  num_started_.fetch_add(1);
  num_started_.notify_one();
}

void GrammarMasks::finish(const StepInput& input) {
  const uint32_t started = num_started_.load();
  for (uint32_t done = num_done_.load(); done != started; done = num_done_.load()) num_done_.wait(done);
  for (const RowFork& child : input.forks) {
    if (rows_.row(child.child).sampling->grammar == nullptr) continue;
    fork(child);
    update(child.child);
  }
}

void GrammarMasks::update(SlotId slot) {
  const WorkerRow& row = rows_.row(slot);
  Slot& entry = slots_[static_cast<size_t>(slot)];
  if (!entry.matcher) {
    entry.matcher.emplace(row.sampling->grammar);
    entry.left_ns = budget_.most_ns;
    entry.lost = false;
  }
  entry.mask.resize((static_cast<size_t>(row.sampling->grammar->vocab_size()) + 31) / 32);
  const std::span<const TokenId> output =
      std::span(row.tokens).subspan(static_cast<size_t>(row.num_prompt_tokens));
  while (!entry.lost && entry.matcher->num_accepted() < std::ssize(output)) {
    entry.left_ns = std::min(entry.left_ns + budget_.per_token_ns, budget_.most_ns);
    spend(entry, [&](GrammarMatcher& matcher) {
      return matcher.accept(output[static_cast<size_t>(matcher.num_accepted())]);
    });
  }
  if (!entry.lost) spend(entry, [&](GrammarMatcher& matcher) { return matcher.fill(entry.mask), true; });
  if (entry.lost) std::ranges::fill(entry.mask, 0);
}

void GrammarMasks::spend(Slot& slot, FunctionRef<bool(GrammarMatcher& matcher)> act) const {
  const int64_t started_ns = now_ns_();
  const bool done = act(*slot.matcher);
  slot.left_ns -= now_ns_() - started_ns;
  slot.lost = !done || slot.left_ns < 0;
}

void GrammarMasks::work() {
  for (uint32_t number = 0;; ++number) {
    num_started_.wait(number);
    if (stop_.load()) return;
    for (const SlotId slot : pending_) update(slot);
    num_done_.store(number + 1);
    num_done_.notify_one();
  }
}

}  // namespace quire
