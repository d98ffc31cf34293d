// Which way back is cheaper for a preempted group: through the swap space, or computing its tokens again
// (Kwon et al. 2023, section 4.5). Both prices are moving averages of what recent steps took. Before the
// first measurement swapping is tried, and so measured.
#pragma once

#include <cstdint>

namespace quire {

class RecoveryCosts {
 public:
  // So many blocks took so long to go out, or to come in.
  void swapped_out(int64_t num_blocks, int64_t ns) { learn(out_ns_per_block_, num_blocks, ns); }
  void swapped_in(int64_t num_blocks, int64_t ns);
  // A step of so many tokens, most of them of prefills.
  void prefilled(int64_t num_tokens, int64_t ns) { learn(ns_per_token_, num_tokens, ns); }
  // What was swapped out is lost: each failure without a success between doubles the number of groups that
  // are recomputed before swapping is tried again.
  void swap_failed();

  // Whether to swap a group of so many blocks out whose tokens could be computed again. Counts as a try.
  bool prefer_swap(int64_t num_blocks, int64_t num_tokens);

 private:
  static void learn(double& ns_per_unit, int64_t count, int64_t ns);

  double out_ns_per_block_ = 0, in_ns_per_block_ = 0, ns_per_token_ = 0;  // 0: not measured
  int32_t num_failures_ = 0;                                              // in a row
  int32_t num_to_skip_ = 0;
  int32_t num_dear_ = 0;  // refusals of swapping for its price since it was last tried
};

}  // namespace quire
