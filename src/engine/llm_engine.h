// The engine: takes requests from any thread, runs the step loop on its own, and answers through one
// RequestStream a request. The loop thread alone owns sequences and blocks, so it takes no locks on them:
//   drain commands -> Scheduler::schedule -> Executor::submit ... Executor::collect -> Scheduler::update.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/types.h"
#include "config/preemption_mode.h"
#include "config/sampling_params.h"
#include "engine/block_claims.h"
#include "engine/request_stream.h"
#include "memory/block_hasher.h"
#include "memory/reservations.h"
#include "scheduler/preemption_counts.h"
#include "step/executor.h"

namespace quire {

struct LLMEngineOptions {
  int32_t num_blocks = 0;
  int32_t block_size = 16;
  int32_t max_model_len = 0;
  int32_t max_num_seqs = 64;
  int32_t max_num_batched_tokens = 512;
  int32_t max_queue = 1024;  // requests that wait to run
  bool by_priority = false;  // else in order of arrival
  int64_t max_step_ns = 0;   // what a step should take while somebody is being answered; 0: no matter
  int64_t max_queue_ns = 0;  // how long a request may wait to run; 0: no matter
  int64_t seed = 0;
  bool enable_prefix_caching = false;
  // How the prefix cache names blocks; it outlives the engine. Null: BLAKE2b with a secret of this process.
  const BlockHasher* block_hasher = nullptr;
  double max_pinned_share = 0.5;  // of the blocks, that pinned prefixes may hold
  // What is served is paged; the evaluation sets the others.
  AllocationPolicy allocation = AllocationPolicy::kPaged;
  int32_t num_swap_slots = 0;  // blocks that the executor can keep in its swap space
  PreemptionMode preemption_mode = PreemptionMode::kAuto;
  int32_t expected_output_tokens = 256;  // as in SchedulerOptions
};

// What /health and tests see; a snapshot made by the loop thread after every step and every batch of
// commands.
struct EngineStats {
  int32_t num_running = 0;
  int32_t num_waiting = 0;  // swapped ones not included
  int32_t num_swapped = 0;  // in the swap space, or on their way back
  int32_t num_free_blocks = 0;
  int32_t num_blocks = 0;
  int64_t kv_slots_allocated = 0;  // token slots in taken blocks
  int64_t kv_slots_filled = 0;     // those that hold a token
  int64_t num_table_entries = 0;   // blocks that would be taken if sequences shared none
  ReservedSlots reserved = {};     // nothing where memory is paged
  int64_t num_steps = 0;
  int64_t num_preemptions = 0;
  // Of the prefix cache: blocks it knows, held or free; those it gave up for others; tokens of prompts that
  // were looked up in it, and those of them that it had.
  int32_t num_cached_blocks = 0;
  int32_t num_pinned_blocks = 0;  // of prefixes, each once; they are taken
  int64_t num_evictions = 0;
  int64_t num_tokens_queried = 0;
  int64_t num_tokens_found = 0;
  int32_t num_swap_slots = 0;
  int32_t num_free_swap_slots = 0;
  PreemptionCounts preemptions = {};
};

struct EngineRequest {
  std::vector<TokenId> prompt;
  std::shared_ptr<const SamplingParams> params;  // validated
  TenantId tenant = 0;                           // those who ask at the same time get equal shares
  int32_t priority = 0;                          // a lower one goes first
  std::string cache_salt = {};                   // only requests with the same one share cached prefixes
  // The full blocks of its prompt stay in the prefix cache, as a PinnedPrefix with the request's id, from
  // its end (kLength or kStop) on until unpin(). It is cut to them, and asks for one token.
  bool pins = false;
};

class EngineLoop;
class EngineMailbox;
struct EngineView;

class LLMEngine {
 public:
  // `clock` and `metrics` outlive the engine.
  LLMEngine(const LLMEngineOptions& options, std::unique_ptr<Executor> executor, const Clock& clock,
            MetricsRegistry& metrics);
  ~LLMEngine();  // aborts what runs, joins the loop

  // Starts the loop on a thread of its own. Without it, tests and simulations call step() themselves.
  void start();

  // Any thread. All requests or none. Errors: kInvalidArgument (prompt empty; prompt and max_tokens beyond
  // the context; more sequences or blocks than there can ever be: the message has the numbers),
  // kResourceExhausted (with these more than max_queue requests would wait, and some wait already),
  // kUnavailable (draining). A priority needs options().by_priority. One that waits for max_queue_ns ends
  // with kTimedOut. A request without a seed gets one from the engine's seed and its own id. With pinned
  // prefixes: block_claims.h; they need a prefix cache, and paged memory (kUnsupported).
  Expected<std::vector<std::shared_ptr<RequestStream>>> submit(std::vector<EngineRequest> requests);
  Expected<std::shared_ptr<RequestStream>> submit(std::vector<TokenId> prompt,
                                                  const SamplingParams& params);

  // Any thread; idempotent. abort: the client left; all of the request's blocks are back within two steps
  // and its stream ends with kAborted. finish: the consumer found a stop string in continuation `index`;
  // only that one ends (kStop).
  void abort(RequestId id);
  void finish(RequestId id, int32_t index);

  // Any thread. What the tenant has pinned, oldest first; and the end of it: false if the tenant has no
  // prefix of that id. A failed step takes none of them away.
  std::vector<PinnedPrefix> pinned_prefixes(TenantId tenant) const;
  bool unpin(RequestId id, TenantId tenant);

  // Any thread. The most blocks that the request's table can come to have, if it runs alone beside what is
  // pinned now.
  int64_t room_for(const BlockClaim& claim) const;

  // Refuses new requests from now on; returns when all others have ended or `timeout_seconds` have passed,
  // after which the rest is aborted. One thread that is not the loop's.
  void drain(double timeout_seconds);

  EngineStats stats() const;

  // Any thread. Has the loop fill `view` (see EngineView::reserve) between two steps, then call `done`, on
  // its thread and once; it must not block. Until then nobody else touches the view. From now on steps are
  // recorded for the next one, for a while.
  void take_view(std::shared_ptr<EngineView> view, std::function<void()> done);

  const LLMEngineOptions& options() const { return options_; }

  // One iteration of the loop, on the calling thread; false if there was nothing to do. Not together with
  // start().
  bool step();

  // The whole state of sequences, blocks and slots; the error says what is wrong. Not together with
  // start().
  Expected<> check() const;

 private:
  Expected<> check(EngineRequest& request) const;

  const LLMEngineOptions options_;
  const Clock& clock_;
  std::atomic<RequestId> next_id_{1};
  std::unique_ptr<EngineMailbox> mailbox_;
  std::unique_ptr<EngineLoop> loop_;  // after start() the loop thread's own
  std::thread thread_;
};

}  // namespace quire
