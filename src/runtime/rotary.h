// Angles of the rotary position embedding (Su et al. 2021), with linear scaling and per-frequency factors
// (as long-context models bring them).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model_config.h"

namespace quire {

class Rotary {
 public:
  explicit Rotary(const ModelConfig& config);

  // Floats that one token's angles take: rope_dim.
  int64_t stride() const { return static_cast<int64_t>(frequencies_.size()) * 2; }

  // out: [rope_dim / 2, 2], cosine and sine for each frequency. Computed in double: positions may be large.
  void fill(int32_t position, float* out) const;

 private:
  std::vector<double> frequencies_;  // radians a position
};

}  // namespace quire
