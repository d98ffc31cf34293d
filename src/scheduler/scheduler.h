// Decides what every step computes. Iteration-level batching: all running sequences decode in every step,
// and what is left of the token budget goes to chunks of prefills (prefill_shares.h; step_budget.h says how
// much that is). Requests enter in the order of waiting_queue.h, as many as are expected to end without
// pushing each other out. When blocks run out all the same, the group that entered last gives all of its
// blocks back; later it finds them in the swap space or recomputes them (all or nothing: Kwon et al. 2023,
// section 4.5). The first group therefore always makes progress, and so, in turn, does everyone. By
// priority, "last" is the one that goes last, and who waits takes the place of those that go after it (of
// its own tenant).
//
// Owns the sequence groups and knows no tensor. Engine thread only.
//
// Order of calls: schedule, (the executor runs the step), update; add and end at any time between calls.
// While a step runs, schedule_ahead may plan the one after it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/preemption_mode.h"
#include "memory/kv_cache_manager.h"
#include "memory/reservations.h"
#include "request/sequence_group.h"
#include "scheduler/beam_search.h"
#include "scheduler/fair_shares.h"
#include "scheduler/future_demand.h"
#include "scheduler/output_lengths.h"
#include "scheduler/preemption_counts.h"
#include "scheduler/prefix_reuse.h"
#include "scheduler/recovery_costs.h"
#include "scheduler/slot_pool.h"
#include "scheduler/step_budget.h"
#include "scheduler/step_plan.h"
#include "scheduler/waiting_queue.h"
#include "step/step_input.h"
#include "step/step_output.h"

namespace quire {

struct SchedulerOptions {
  int32_t max_num_seqs = 64;             // rows of the worker; also the most continuations of one request
  int32_t max_num_batched_tokens = 512;  // tokens computed in one step, at least 1
  int32_t max_model_len = 0;             // prompt and output of one sequence
  SchedulingPolicy policy = SchedulingPolicy::kFcfs;
  int64_t max_step_ns = 0;   // what a step with decodes should take at most; 0: no matter
  int64_t max_queue_ns = 0;  // how long a request may wait to run; 0: no matter
  // All but paging need a range for each sequence of a group that enters.
  AllocationPolicy allocation = AllocationPolicy::kPaged;
  // Swapping needs swap slots in the memory's books.
  PreemptionMode preemption_mode = PreemptionMode::kAuto;
  // How long outputs are taken to be before any has ended; 0 admits whoever fits at the moment.
  int32_t expected_output_tokens = 256;
};

// What one step brought, in the order of its samples. Groups stay valid until take_ended.
struct StepEvents {
  struct Token {
    SequenceGroup* group = nullptr;
    Sequence* sequence = nullptr;
    int32_t sample = 0;     // of StepOutput::samples
    int32_t first_top = 0;  // of StepOutput::top
    bool first_of_group = false;
    int64_t previous_ns = kNotYet;  // when the sequence got the token before
    FinishReason finish_reason = FinishReason::kNone;
  };
  struct PromptLogprobs {
    SequenceGroup* group = nullptr;
    int32_t first = 0, count = 0;  // of StepOutput::prompt_logprobs
    int32_t first_top = 0;         // of StepOutput::prompt_top
  };
  // Of each beam search that made a choice: a token more for each beam.
  std::vector<SequenceGroup*> choices;
  // A beam search that is over: its n best, best first; none if it failed.
  struct Search {
    SequenceGroup* group = nullptr;
    std::vector<BeamHypothesis> best;
  };
  // A prompt whose embedding is there; its group has ended.
  struct Pooled {
    SequenceGroup* group = nullptr;
    int32_t embedding = 0;  // of StepOutput::embeddings
  };
  int64_t now_ns = kNotYet;  // when the step ended
  std::vector<Token> tokens;
  std::vector<PromptLogprobs> prompt_logprobs;
  std::vector<Search> searches;
  std::vector<Pooled> pooled;

  void clear() {
    tokens.clear();
    choices.clear();
    searches.clear();
    pooled.clear();
    prompt_logprobs.clear();
  }
};

class Scheduler {
 public:
  // `memory` outlives the scheduler, which alone changes it.
  Scheduler(const SchedulerOptions& options, KvCacheManager& memory);

  // Whether such a request can ever run; the error has the arithmetic, and names the field that says how
  // many sequences it runs. Pure, so that any thread may ask.
  static Expected<> check_fits(const SchedulerOptions& options, int32_t num_blocks, int32_t block_size,
                               int64_t num_prompt_tokens, int64_t max_tokens, int32_t n,
                               std::string_view n_field = "n");

  // Queues a group that check_fits allows.
  void add(std::unique_ptr<SequenceGroup> group);

  // Plans the next step; false, and no step, if there is nothing to run. Without waiting or running groups
  // there is nothing to run, and with some there is always something.
  bool schedule(int64_t now_ns, StepInput& input);

  // While one step is under way: plans the next one on the assumption that every sequence goes on that need
  // not end by its length, which takes no knowledge of the tokens to come. A sequence that does end (a stop
  // token, an abort) is computed in vain, and its sample dropped. False, and no step, unless decodes are
  // all that the step would hold: prefills, newcomers, preemption and the choice of beams wait until the
  // step under way is known.
  bool schedule_ahead(StepInput& input);

  // Takes the answer to the oldest step under way.
  void update(const StepOutput& output, int64_t now_ns, StepEvents& events);

  // Null once it has ended.
  SequenceGroup* find(RequestId id);

  // Ends one sequence from outside; its blocks are free at once, its row ends with the next step. The last
  // one ends the group.
  void end(SequenceGroup& group, Sequence& sequence, FinishReason reason);

  // The workers lost all rows (a failed step): from now on no row is known to them.
  void forget_rows();

  // Gives up a pinned prefix (SequenceGroup::pins).
  void unpin(RequestId id) { prefixes_.unpin(id); }

  // A group that has not run and has waited for max_queue_ns, which the caller should end; null if there is
  // none.
  SequenceGroup* find_overdue(int64_t now_ns);

  // Groups that have ended since the last call.
  void take_ended(std::vector<std::unique_ptr<SequenceGroup>>& out);

  const std::vector<std::unique_ptr<SequenceGroup>>& running() const {
    return running_;
  }  // last: first to go
  const WaitingQueue::Groups& waiting() const { return waiting_.groups(); }
  // Swapped in at the moment, in no order: they hold blocks and slots, but cannot run yet.
  struct Return {
    std::unique_ptr<SequenceGroup> group;
    std::vector<SwapSlotId> pending;  // of its swap slots, those not yet reported
  };
  const std::vector<Return>& returning() const { return returning_; }
  int32_t num_swapped() const;  // groups in the swap space, those on their way back included
  int64_t num_preemptions() const { return counts_.total(); }
  const PreemptionCounts& preemption_counts() const { return counts_; }
  int64_t num_admitted() const { return num_admitted_; }  // groups that ran at all
  // What the running sequences have set aside; nothing where memory is paged.
  ReservedSlots reserved_slots() const { return reservations_ ? reservations_->slots() : ReservedSlots{}; }
  const PrefixReuse& prefixes() const { return prefixes_; }

  // Everything in one call: the memory's books, and that tables, slots, rows, lists and steps under way
  // agree with each other.
  Expected<> check() const;

 private:
  static constexpr RequestId kNoRequest = -1;

  // A submitted step, as far as its answer needs it.
  struct InFlight {
    std::vector<PlannedSample> samples, scored;
    int32_t num_decodes = 0, num_prefill_tokens = 0;
    int64_t started_ns = 0;  // or when the step before it ended, if that was later
    int64_t num_swap_outs = 0;
    std::vector<PlannedBlocks> filled;
    int64_t step_id = 0;
    bool ahead = false;  // all of it is decodes
  };

  // Every decode; then, newcomers among them, prefills as the budget allows.
  void plan_all(int64_t now_ns);
  // One token for each of the sequences that have waited longest, when there are more than the budget
  // holds.
  void plan_in_turns();
  bool can_schedule_ahead() const;
  void finish_plan(int64_t now_ns, StepInput& input);
  // Whether there are more rows to decode or prefill than the budget holds.
  bool must_take_turns() const;
  // Plans the group's decodes, and notes its prefills.
  void plan_group(SequenceGroup& group);
  void plan_prefills();
  // Tokens that the prefills noted lack.
  int64_t count_wanted() const;
  // Plan the sequence's next token, or up to `num_tokens` of its next tokens, preempting newer groups for
  // blocks; they return how many.
  int32_t plan_decode(SequenceGroup& group, Sequence& sequence);
  int32_t plan_row(SequenceGroup& group, Sequence& sequence, int32_t num_tokens);
  // Bring the sequences that come up soon into the cache.
  void fetch_running(size_t next) const;
  void fetch_samples(size_t next) const;
  // Puts what the oldest step under way has filled into the prefix cache.
  void cache_filled();
  // Leading tokens of the sequence that are known to be in the cache, as far as that is plain to see.
  int32_t num_known(const Sequence& sequence) const;
  void collect_prompt_logprobs(const StepOutput& output, StepEvents& events);
  void plan_fork(SequenceGroup& group, const Sequence& leader);
  // Lets in those whose turn it is, as long as there are blocks, rows and tokens for them.
  void admit_newcomers(int64_t now_ns);
  // The next of the waiting groups begins to run, or to return from the swap space, if there is room; else
  // null.
  SequenceGroup* admit(int64_t now_ns);
  void take_slots(SequenceGroup& group);
  void start_running(std::unique_ptr<SequenceGroup> group);
  // Whether the group is expected to find room beside those that run, all the time it does; where others
  // make way for it, whether it finds room at the moment. Looks up what the prefix cache has of it.
  bool has_room_for(const SequenceGroup& group);
  GroupDemand demand_of(const SequenceGroup& group) const;
  void count_demand();
  // A range for each of the group's unfinished sequences, or none for any.
  bool reserve(const SequenceGroup& group);
  // By priority: preempts groups that go after the next one to enter, if that gives it room. Not where
  // several tenants are there: what is urgent to one is no reason to disturb another.
  bool may_make_way() const {
    return options_.policy == SchedulingPolicy::kPriority && !shares_.contended() && !running_.empty();
  }
  void make_way();
  bool preempt_newer_than(const SequenceGroup& group);
  void preempt(SequenceGroup& group);
  // Keeps the group's blocks in the swap space if that is the way to recover it; false if not.
  bool swap_out(const SequenceGroup& group);
  bool start_return(SequenceGroup& group);
  void take_swap_reports(const StepOutput& output);
  void end_return(size_t index);
  // What the swap space kept of the group, which is swapped or returning, is lost.
  void recompute_swapped(SequenceGroup& group);
  void cancel_return(size_t index);
  void forget_swapped();
  // After a sequence of a group that has no rows ended.
  void settle_swapped(SequenceGroup& group);
  void learn_costs(const StepOutput& output);
  // The group, which holds nothing any more, waits to be computed from its first token on.
  void start_over(SequenceGroup& group);
  void release(const SequenceGroup& group, Sequence& sequence);
  // Leaves the prefix cache what the sequence has computed.
  void leave_in_cache(const SequenceGroup& group, const Sequence& sequence);
  // Frees its blocks and ends its row; it keeps its slot.
  void drop_row(Sequence& sequence);
  // A beam's candidates; with those of the last beam the search goes on or ends.
  void take_candidates(SequenceGroup& group, Sequence& sequence, std::span<const TokenLogprob> candidates,
                       StepEvents& events);
  void grow_beams(SequenceGroup& group);
  void end_search(SequenceGroup& group, BeamSearch& search, StepEvents& events);
  void retire(SequenceGroup& group);
  Expected<> check_running(const SequenceGroup& group) const;
  Expected<> check_searches() const;
  Expected<> check_waiting(const SequenceGroup& group) const;
  Expected<> check_returning(const Return& entry) const;
  Expected<> check_swapped(const SequenceGroup& group, bool swapped) const;
  int32_t count_in_flight(const Sequence& sequence) const;

  const SchedulerOptions options_;
  KvCacheManager& memory_;
  std::unique_ptr<Reservations> reservations_;  // null where memory is paged
  SlotPool slots_;
  PrefixReuse prefixes_;
  std::vector<std::unique_ptr<SequenceGroup>> running_;  // in order of entry; by priority: in that order
  WaitingQueue waiting_;
  FairShares shares_;
  StepBudget budget_;
  std::vector<Return> returning_;
  std::vector<SwapMove> moves_;  // of the group at hand
  std::vector<std::unique_ptr<SequenceGroup>> ended_;
  std::unordered_map<RequestId, SequenceGroup*> by_id_;
  std::vector<SlotId> ends_;  // rows that the worker still has and that must end
  std::vector<SwapSlotId> swap_cancels_;
  std::unordered_map<RequestId, BeamSearch> searches_;  // of the groups that have one
  int32_t num_searching_ = 0;                           // groups in running_ that have one
  BeamChoice choice_;
  std::vector<RowFork> branches_;  // of the last choices, for the next step
  std::vector<RowToken> grown_;    // the same
  StepPlan plan_;
  std::array<InFlight, 2> in_flight_;  // the first num_in_flight_, oldest first
  int32_t num_in_flight_ = 0;
  bool prefills_left_ = false;  // by the step that schedule() planned last
  std::vector<SlotPool::Occupant> turns_;
  // Of the step being planned.
  std::vector<SlotPool::Occupant> prefills_;
  std::vector<int32_t> prefill_wants_, prefill_shares_;
  int32_t num_prefill_tokens_ = 0;
  int64_t last_update_ns_ = kNotYet;
  int64_t first_overdue_ns_ = 0;  // find_overdue has nothing to find before
  int64_t step_id_ = 0;
  int64_t collected_step_ = 0;  // the last one that update() was given
  OutputLengths lengths_;
  FutureDemand demand_;     // of those that run and return, while a step is planned that may admit
  int64_t num_shared_ = 0;  // blocks that demand_ counts more than once
  RecoveryCosts costs_;
  // Found no room when it was next to enter, and nothing was given back since.
  RequestId no_room_for_ = kNoRequest;
  PreemptionCounts counts_;
  int64_t num_admitted_ = 0;
};

}  // namespace quire
