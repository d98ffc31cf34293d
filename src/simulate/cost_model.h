// How long a step takes, as a function of what it holds: so that a simulation of the real scheduler runs at
// the speed of a machine that is not there. A model is a few numbers, measured or derived, and says where
// they come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "step/step_input.h"

namespace quire {

// What a step makes a worker do.
struct StepWork {
  int64_t tokens = 0;   // computed
  int64_t samples = 0;  // drawn
  int64_t context = 0;  // tokens whose keys and values the decodes read
  int64_t pairs = 0;    // of a query and a key, in the chunks of prefills
  int64_t copies = 0;   // of blocks
};

StepWork work_of(const StepInput& input);

// Seconds of a step: the tokens' part, which is linear between the points (and goes on as between the last
// two; below the first it is that one's), and what each other unit of work adds.
struct CostModel {
  struct Point {
    int64_t tokens = 0;
    double seconds = 0;
  };

  std::string name;
  std::string source;         // of the numbers
  std::vector<Point> points;  // at least one, by tokens, which are at least 1 and differ
  double sample_s = 0;
  double context_s = 0;
  double pair_s = 0;
  double copy_s = 0;

  double seconds(const StepWork& work) const;
};

// What an accelerator of published figures makes of a model of published figures.
struct AcceleratorSpec {
  double memory_bytes_per_s = 0;
  double operations_per_s = 0;
  double memory_share = 1;      // of the bandwidth that kernels reach
  double operations_share = 1;  // the same of the arithmetic
};
struct ModelSpec {
  double num_parameters = 0;
  double bytes_per_parameter = 2;
  int32_t num_layers = 0;
  int32_t hidden_size = 0;
  double kv_bytes_per_token = 0;
  int32_t block_size = 16;
};

// A roofline: all weights are read in every step, two operations are done on each parameter for each
// token, and the longer of both counts; keys and values are read once for each decode; a pair takes four
// operations for each hidden dimension of each layer; a copy reads and writes a block.
CostModel derive_cost_model(std::string name, std::string source, const AcceleratorSpec& accelerator,
                            const ModelSpec& model);

// Kwon et al. 2023: 26 GB of weights, 800 KB of keys and values a token (2 x 5120 x 40 x 2 bytes).
ModelSpec opt_13b(int32_t block_size = 16);

// OPT-13B on an A100 of 40 GB, as in Kwon et al. 2023, table 1.
CostModel opt_13b_on_a100(int32_t block_size);

}  // namespace quire
