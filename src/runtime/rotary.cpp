#include "runtime/rotary.h"

#include <cmath>

namespace quire {

Rotary::Rotary(const ModelConfig& config) {
  const int32_t pairs = config.rope_dim / 2;
  for (int32_t i = 0; i < pairs; ++i) {
    double frequency =
        std::pow(static_cast<double>(config.rope_base), -2.0 * i / config.rope_dim) * config.rope_scale;
    if (!config.rope_factors.empty()) frequency /= config.rope_factors[static_cast<size_t>(i)];
    frequencies_.push_back(frequency);
  }
}

void Rotary::fill(int32_t position, float* out) const {
  for (const double frequency : frequencies_) {
    const double angle = position * frequency;
    *out++ = static_cast<float>(std::cos(angle));
    *out++ = static_cast<float>(std::sin(angle));
  }
}

}  // namespace quire
