#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <memory>

#include "base/machine.h"
#include "cli/commands.h"
#include "models/published_shapes.h"

namespace quire {
namespace {

constexpr std::array kTypes{DType::kF32,  DType::kF16,  DType::kBF16,
                            DType::kQ4_0, DType::kQ4_1, DType::kQ8_0};

struct RandomModelFlags {
  std::string path;
  std::string shape{published_shapes().front().name};
  std::string type = "q4_0";
  uint64_t seed = 1;
};

Expected<> make_random_model(const RandomModelFlags& flags) {
  RandomModelSpec spec;
  for (const PublishedShape& shape : published_shapes()) {
    if (shape.name == flags.shape) spec = shape.spec;
  }
  for (const DType type : kTypes) {
    if (to_string(type) == flags.type) spec.matrix_dtype = type;
  }
  spec.embedding_dtype = is_quantized(spec.matrix_dtype) ? DType::kQ8_0 : spec.matrix_dtype;
  spec.seed = flags.seed;
  ThreadPool pool(available_cores());
  if (auto written = write_random_model(spec, flags.path, pool); !written) return written;
  fmt::print("{}: {:.1f} MiB\n", flags.path,
             static_cast<double>(std::filesystem::file_size(flags.path)) / (1 << 20));
  return {};
}

}  // namespace

void add_bench_random_model(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("random-model", "write a model of random weights, to measure larger shapes with");
  auto flags = std::make_shared<RandomModelFlags>();
  command->add_option("OUTPUT", flags->path, "the GGUF file to write")->type_name("FILE")->required();
  std::vector<std::string> shapes, types;
  for (const PublishedShape& shape : published_shapes()) shapes.emplace_back(shape.name);
  for (const DType type : kTypes) types.emplace_back(to_string(type));
  command->add_option("--shape", flags->shape, "layers and widths (default: " + flags->shape + ")")
      ->type_name(fmt::format("{}", fmt::join(shapes, "|")))
      ->check(CLI::IsMember(shapes).description(""));
  command
      ->add_option("--type", flags->type,
                   "of the matrices; embeddings are q8_0 where these are quantized (default: q4_0)")
      ->type_name(fmt::format("{}", fmt::join(types, "|")))
      ->check(CLI::IsMember(types).description(""));
  command->add_option("--seed", flags->seed, "of the weights (default: 1)")->type_name("N");
  command->callback([flags, &action] { action = [flags] { return make_random_model(*flags); }; });
}

}  // namespace quire
