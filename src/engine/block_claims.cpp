#include "engine/block_claims.h"

#include <algorithm>

#include "base/check.h"
#include "scheduler/kv_demand.h"

namespace quire {
namespace {

int64_t most_blocks(const BlockClaim& claim, int32_t block_size) {
  return peak_blocks(std::ssize(claim.prompt), claim.params->max_tokens, claim.params->num_sequences(),
                     block_size);
}

}  // namespace

template <class Which>
int64_t BlockClaims::most_common(const BlockClaim& claim, Which which) const {
  int64_t most = 0;
  for (const auto& [id, pin] : pins_) {
    if (pin.tenant != claim.tenant || pin.cache_salt != claim.cache_salt || !which(pin)) continue;
    const auto parted = std::ranges::mismatch(pin.tokens, claim.prompt).in1;
    most = std::max(most, (parted - pin.tokens.begin()) / limits_.block_size);
  }
  return most;
}

// As PrefixReuse::match finds them: a token is left to compute, and who wants the prompt's log-probabilities
// or hidden states from its start on finds nothing.
int64_t BlockClaims::num_found(const BlockClaim& claim) const {
  if (pins_.empty() || claim.params->prompt_logprobs || claim.params->pools_from_start()) return 0;
  const int64_t most = (std::ssize(claim.prompt) - 1) / limits_.block_size;
  return std::min(most, most_common(claim, [](const Pin& pin) { return pin.complete; }));
}

int64_t BlockClaims::room_for(const BlockClaim& claim) const {
  return limits_.num_blocks - num_pinned_blocks_ + num_found(claim);
}

Expected<> BlockClaims::enter(const BlockClaim& claim) {
  const int64_t needed = most_blocks(claim, limits_.block_size);
  if (needed > room_for(claim)) {
    const int32_t n = claim.params->num_sequences();
    const char* n_field = claim.params->best_of ? "best_of" : "n";
    return fail_param(
        n > 1 ? n_field : "max_tokens",
        "the prompt has {} tokens, max_tokens is {} and {} is {}: that can need {} blocks of {} "
        "tokens, but of the KV cache's {} blocks {} are pinned, {} of them as part of this prompt",
        claim.prompt.size(), claim.params->max_tokens, n_field, n, needed, limits_.block_size,
        limits_.num_blocks, num_pinned_blocks_, num_found(claim));
  }
  peaks_[claim.id] = needed;
  return {};
}

Expected<> BlockClaims::check_pinnable(const BlockClaim& claim, int64_t num_blocks) const {
  if (claim.prompt.empty()) {
    return fail_param("prompt", "the prefix fills no block of {} tokens: only full blocks are pinned",
                      limits_.block_size);
  }
  if (pins_.size() >= kMaxPinnedPrefixes) {
    return fail_param("prompt", "{} prefixes are pinned, which is the most that may be", pins_.size());
  }
  if (num_pinned_blocks_ + num_blocks > limits_.max_pinned_blocks) {
    return fail_param(
        "prompt",
        "the prefix has {} tokens and needs {} more blocks of {} tokens, but {} of at most {} "
        "are pinned already (the KV cache has {}; max-pinned-share says how many of them)",
        claim.prompt.size(), num_blocks, limits_.block_size, num_pinned_blocks_, limits_.max_pinned_blocks,
        limits_.num_blocks);
  }
  const int64_t left = limits_.num_blocks - num_pinned_blocks_ - num_blocks;
  for (const auto& [id, peak] : peaks_) {
    if (num_blocks == 0 || peak <= left) continue;
    return fail(
        ErrorCode::kUnavailable,
        "a request that waits or runs may come to need {} of the KV cache's {} blocks, but with {} more "
        "pinned {} would be left: try again later",
        peak, limits_.num_blocks, num_blocks, left);
  }
  return {};
}

Expected<> BlockClaims::enter_to_pin(const BlockClaim& claim, int64_t created) {
  const auto total = std::ssize(claim.prompt) / limits_.block_size;
  const int64_t num_blocks = total - most_common(claim, [](const Pin&) { return true; });
  if (auto checked = check_pinnable(claim, num_blocks); !checked) return checked;
  if (auto entered = enter(claim); !entered) return entered;
  pins_[claim.id] = {.prefix = {.id = claim.id,
                                .created = created,
                                .num_tokens = static_cast<int32_t>(claim.prompt.size()),
                                .num_blocks = static_cast<int32_t>(total)},
                     .tenant = claim.tenant,
                     .cache_salt = std::string(claim.cache_salt),
                     .tokens = {claim.prompt.begin(), claim.prompt.end()}};
  num_pinned_blocks_ += num_blocks;
  return {};
}

void BlockClaims::complete(RequestId id, int32_t num_cached_tokens) {
  Pin& pin = pins_.at(id);
  pin.complete = true;
  pin.prefix.num_cached_tokens = num_cached_tokens;
}

void BlockClaims::leave(RequestId id) {
  peaks_.erase(id);
  if (const auto found = pins_.find(id); found != pins_.end() && !found->second.complete) remove(id);
}

bool BlockClaims::unpin(RequestId id, TenantId tenant) {
  const auto found = pins_.find(id);
  if (found == pins_.end() || found->second.tenant != tenant || !found->second.complete) return false;
  remove(id);
  return true;
}

void BlockClaims::remove(RequestId id) {
  const Pin removed = std::move(pins_.extract(id).mapped());
  const BlockClaim claim{
      .id = id, .tenant = removed.tenant, .cache_salt = removed.cache_salt, .prompt = removed.tokens};
  num_pinned_blocks_ -= removed.prefix.num_blocks - most_common(claim, [](const Pin&) { return true; });
}

std::vector<PinnedPrefix> BlockClaims::list(TenantId tenant) const {
  std::vector<PinnedPrefix> prefixes;
  for (const auto& [id, pin] : pins_) {
    if (pin.tenant == tenant && pin.complete) prefixes.push_back(pin.prefix);
  }
  return prefixes;
}

}  // namespace quire
