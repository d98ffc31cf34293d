#include "models/llama.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "models/architecture.h"
#include "models/weight_binder.h"
#include "tests/runtime/runner_fixture.h"
#include "weights/gguf_config.h"
#include "weights/gguf_writer.h"

namespace quire {
namespace {

struct Traced {
  ModelConfig config;
  Expected<Graph> graph;
};

Traced trace(const std::string& path) {
  const auto file = GgufFile::open(path);
  EXPECT_TRUE(file);
  auto config = read_model_config(*file);
  EXPECT_TRUE(config);
  const auto architecture = find_architecture(config->architecture);
  EXPECT_TRUE(architecture);
  EXPECT_TRUE((*architecture)->configure(*file, *config));
  auto graph = (*architecture)->trace(*file, *config);
  return {std::move(*config), std::move(graph)};
}

TEST(Llama, TracesTheDefaultModel) {
  const auto [config, graph] = trace(default_model());
  ASSERT_TRUE(graph);
  EXPECT_TRUE(config.tied_embeddings);
  EXPECT_EQ(config.rope_style, RopeStyle::kInterleaved);
  EXPECT_EQ(graph->ops.size(), 1U + 30 * 18 + 3);
  const Op& head = graph->ops.back();
  EXPECT_EQ(graph->values[static_cast<size_t>(head.output)].cols, 49152);
  EXPECT_EQ(head.weight, graph->ops.front().weight) << "embedding and head are one matrix";
}

TEST(Llama, AnUntiedHeadIsAMatrixOfItsOwn) {
  const RandomModelFile model({.tied = false});
  const auto [config, graph] = trace(model.path());
  ASSERT_TRUE(graph);
  EXPECT_FALSE(config.tied_embeddings);
  EXPECT_NE(graph->ops.back().weight, graph->ops.front().weight);
}

TEST(Llama, EveryTensorOfTheFileIsUsedOnce) {
  const RandomModelFile model;
  const auto [config, graph] = trace(model.path());
  ASSERT_TRUE(graph);
  std::multiset<std::string> names;
  for (const Weight& weight : graph->weights) names.insert(weight.parts.begin(), weight.parts.end());
  const auto file = GgufFile::open(model.path());
  EXPECT_EQ(names.size(), file->tensors().size());
  for (const GgufTensor& tensor : file->tensors()) EXPECT_EQ(names.count(tensor.name), 1U) << tensor.name;
}

TEST(Llama, ATensorThatItDoesNotKnowIsRefusedByName) {
  const RandomModelFile model({.qkv_bias = true});
  const auto [config, graph] = trace(model.path());
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(graph.error().message.find(".bias"), std::string::npos) << graph.error().message;
}

TEST(Registry, NamesWhatItKnows) {
  ASSERT_TRUE(find_architecture("llama"));
  const auto unknown = find_architecture("mamba");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message,
            "the model's architecture is 'mamba'; this build knows: llama. Take a model of one of those");
  EXPECT_TRUE(std::ranges::is_sorted(architectures(), {}, &Architecture::name));
}

TEST(WeightBinder, KeepsTheFirstErrorAndNamesBothShapes) {
  const RandomModelFile model;
  const auto file = GgufFile::open(model.path());
  GraphBuilder build({});
  WeightBinder bind(*file, build);
  bind.matrix("token_embd.weight", 3, 5);
  bind.matrix("missing.weight", 1, 1);
  const auto bound = bind.finish();
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().message,
            "tensor 'token_embd.weight' is 512 x 64, but the model's configuration asks for 3 x 5");
  WeightBinder missing(*file, build);
  missing.vector("missing.weight", 1);
  EXPECT_EQ(missing.finish().error().message, "the model has no tensor 'missing.weight'");
}

}  // namespace
}  // namespace quire
