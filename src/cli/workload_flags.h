// The flags that say which requests a benchmark makes.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "bench/workload.h"

namespace quire {

struct WorkloadFlags {
  std::optional<int32_t> input_len, output_len;  // none: the default profile
  double range_ratio = 0;
  int32_t prefix_len = 0;
  int32_t num_prompts = 100;
  int64_t seed = 0;
};

void add_workload_flags(CLI::App& app, WorkloadFlags& flags);

// Arrival times are the caller's to add. Errors name the flag's field.
Expected<WorkloadSpec> to_workload_spec(const WorkloadFlags& flags, TokenId vocab_size);

// Writes a result: to `path`, or to stdout if it is "-".
Expected<> write_result(const std::string& path, const std::string& text);

}  // namespace quire
