#include "cli/workload_flags.h"

#include <fmt/format.h>

#include <fstream>

#include "bench/local_bench.h"

namespace quire {
namespace {

LengthDistribution length_of(const std::optional<int32_t>& fixed, double range_ratio,
                             const LengthDistribution& fallback) {
  if (!fixed) return fallback;
  return {.median = static_cast<double>(*fixed), .sigma = 0, .range_ratio = range_ratio};
}

}  // namespace

void add_workload_flags(CLI::App& app, WorkloadFlags& flags) {
  const std::string group = "Workload";
  app.add_option("--num-prompts", flags.num_prompts,
                 fmt::format("requests to send (default: {})", flags.num_prompts))
      ->type_name("N")
      ->group(group);
  app.add_option("--random-input-len", flags.input_len,
                 "length of the random prompts (default: log-normal, median 100, sigma 0.9, at most 1000)")
      ->type_name("TOKENS")
      ->group(group);
  app.add_option("--random-output-len", flags.output_len,
                 "tokens to ask for (default: log-normal, median 64, sigma 0.7, at most 256)")
      ->type_name("TOKENS")
      ->group(group);
  app.add_option("--random-range-ratio", flags.range_ratio,
                 "draw lengths from [1 - ratio, 1 + ratio] times those two (default: 0)")
      ->type_name("RATIO")
      ->group(group);
  app.add_option("--random-prefix-len", flags.prefix_len,
                 "tokens that all prompts begin with, beside their own (default: 0)")
      ->type_name("TOKENS")
      ->group(group);
  app.add_option("--seed", flags.seed, "of prompts, lengths and arrivals (default: 0)")
      ->type_name("N")
      ->group(group);
}

Expected<WorkloadSpec> to_workload_spec(const WorkloadFlags& flags, TokenId vocab_size) {
  const WorkloadSpec spec{
      .num_prompts = flags.num_prompts,
      .input_len = length_of(flags.input_len, flags.range_ratio, kDefaultInputLength),
      .output_len = length_of(flags.output_len, flags.range_ratio, kDefaultOutputLength),
      .prefix_len = flags.prefix_len,
      .first_token = first_random_token(vocab_size),
      .vocab_size = vocab_size,
      .seed = flags.seed,
  };
  if (auto checked = validate(spec); !checked) return std::unexpected(checked.error());
  return spec;
}

Expected<> write_result(const std::string& path, const std::string& text) {
  if (path == "-") {
    fmt::print("{}", text);
    return {};
  }
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return fail(ErrorCode::kIo, "cannot write {}", path);
  return {};
}

}  // namespace quire
