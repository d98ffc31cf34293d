// What of the KV pool is spoken for: by pinned prefixes, which keep their blocks until they are given up,
// and by requests, each of which must be able to run alone beside all of those. So nobody is let in who
// could never run, and nothing is pinned beside which somebody who was let in could not run any more.
//
// A request that begins with a pinned prefix needs those blocks no second time. A prefix may go while such a
// request waits: its blocks are free then, so the request still fits.
//
// Not thread-safe: EngineMailbox has it under a lock.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/sampling_params.h"

namespace quire {

// Each keeps its tokens in mind, and every request is held against them.
inline constexpr size_t kMaxPinnedPrefixes = 256;

// Of the KV pool.
struct BlockLimits {
  int32_t num_blocks = 0;
  int32_t block_size = 1;
  int32_t max_pinned_blocks = 0;
};

// A request that wants to be let in.
struct BlockClaim {
  RequestId id = 0;
  TenantId tenant = 0;
  std::string_view cache_salt = {};
  std::span<const TokenId> prompt = {};
  const SamplingParams* params = nullptr;
};

struct PinnedPrefix {
  RequestId id = 0;     // of the request that computed it
  int64_t created = 0;  // unix seconds
  int32_t num_tokens = 0;
  int32_t num_blocks = 0;
  int32_t num_cached_tokens = 0;  // that were in the cache already
};

class BlockClaims {
 public:
  explicit BlockClaims(const BlockLimits& limits) : limits_(limits) {}

  // Lets a request in that Scheduler::check_fits allows. kInvalidArgument: it could never run beside what is
  // pinned.
  Expected<> enter(const BlockClaim& claim);

  // The same for one whose prompt, of whole blocks, is to be pinned when it is computed. kInvalidArgument:
  // it is beyond the bounds. kUnavailable: somebody who was let in might not fit beside it.
  Expected<> enter_to_pin(const BlockClaim& claim, int64_t created);

  // The request's prompt is pinned. So many of its tokens were cached.
  void complete(RequestId id, int32_t num_cached_tokens);

  // The request has ended; if its prompt was to be pinned and is not, its blocks are nobody's.
  void leave(RequestId id);

  // Gives up a pinned prefix of that tenant; false if there is none.
  bool unpin(RequestId id, TenantId tenant);

  // Those of the tenant that are pinned by now, oldest first.
  std::vector<PinnedPrefix> list(TenantId tenant) const;

  // Blocks that the request can come to have in its table, if it runs alone.
  int64_t room_for(const BlockClaim& claim) const;

  int64_t num_pinned_blocks() const { return num_pinned_blocks_; }  // those to come among them

 private:
  struct Pin {
    PinnedPrefix prefix;
    TenantId tenant = 0;
    std::string cache_salt;
    std::vector<TokenId> tokens;
    bool complete = false;
  };

  // Leading blocks that the claim's prompt has in common with a pin, of those in its scope.
  template <class Which>
  int64_t most_common(const BlockClaim& claim, Which which) const;
  int64_t num_found(const BlockClaim& claim) const;
  Expected<> check_pinnable(const BlockClaim& claim, int64_t num_blocks) const;
  void remove(RequestId id);

  const BlockLimits limits_;
  std::map<RequestId, Pin> pins_;
  std::unordered_map<RequestId, int64_t> peaks_;  // most blocks that each request may come to hold
  int64_t num_pinned_blocks_ = 0;                 // each once
};

}  // namespace quire
