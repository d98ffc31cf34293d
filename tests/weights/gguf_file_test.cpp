#include "weights/gguf_file.h"

#include <numeric>

#include "tests/weights/gguf_fixture.h"
#include "weights/quantize.h"

namespace quire {
namespace {

constexpr const char* kDefaultModel = QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf";

std::vector<float> row_of(const GgufTensor& tensor, int64_t row) {
  const auto bytes = static_cast<size_t>(row_bytes(tensor.dtype, tensor.cols()));
  std::vector<float> values(static_cast<size_t>(tensor.cols()));
  dequantize_row(tensor.dtype, tensor.bytes.subspan(static_cast<size_t>(row) * bytes, bytes), values);
  return values;
}

double sum_of(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(GgufFile, TheDefaultModelHasTheShapesItIsKnownFor) {
  const auto file = GgufFile::open(kDefaultModel);
  ASSERT_TRUE(file) << file.error().message << " (script/setup fetches the default model)";
  EXPECT_EQ(file->file_bytes(), 98'362'432U);
  EXPECT_EQ(file->version(), 3U);
  EXPECT_EQ(file->metadata().entries().size(), 33U);
  ASSERT_EQ(file->tensors().size(), 272U);
  EXPECT_EQ(file->tensors().front().name, "token_embd.weight");
  const GgufTensor* down = file->find_tensor("blk.29.ffn_down.weight");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(format_dims(*down), "[1536, 576]");
  EXPECT_EQ(down->dtype, DType::kQ4_1);
  EXPECT_EQ(down->cols(), 1536);
  EXPECT_EQ(down->rows(), 576);
  EXPECT_EQ(file->find_tensor("blk.30.ffn_down.weight"), nullptr);
  EXPECT_EQ(file->find_tensor("output.weight"), nullptr);
}

// Golden values were computed from the file's bytes with Python's struct module.
TEST(GgufFile, TheDefaultModelsWeightsAreWhereTheyShouldBe) {
  const auto file = GgufFile::open(kDefaultModel);
  ASSERT_TRUE(file) << file.error().message;
  const GgufTensor* embedding = file->find_tensor("token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->dtype, DType::kQ8_0);
  EXPECT_EQ(embedding->offset % 32, 0U);
  const auto exclamation = row_of(*embedding, 17);
  EXPECT_FLOAT_EQ(exclamation[0], 0.07788467407226562F);
  EXPECT_FLOAT_EQ(exclamation[575], -0.046459197998046875F);
  EXPECT_NEAR(sum_of(exclamation), 6.012860298156738, 1e-5);
  EXPECT_FLOAT_EQ(row_of(*embedding, 49151)[575], -0.0417022705078125F);

  const auto query = row_of(*file->find_tensor("blk.0.attn_q.weight"), 100);
  EXPECT_FLOAT_EQ(query[2], 0.09210205078125F);
  EXPECT_FLOAT_EQ(query[16], 0.0284423828125F);
  EXPECT_NEAR(sum_of(query), -2.812408447265625, 1e-5);

  const auto norm = row_of(*file->find_tensor("output_norm.weight"), 0);
  EXPECT_EQ(norm[0], 1.7578125F);
  EXPECT_NEAR(sum_of(norm), 1038.33203125, 1e-3);
}

TEST(GgufFile, ReadsVersionTwo) {
  const TempFolder folder;
  const auto file = RawGguf()
                        .header(1, 1, 2)
                        .key("k", GgufType::kU8)
                        .number(uint8_t{1})
                        .tensor("t", {3}, 0, 0)
                        .data(12)
                        .open(folder);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->version(), 2U);
  EXPECT_EQ(file->tensors()[0].bytes.size(), 12U);
}

TEST(GgufFile, DataBeginsAtTheAlignment) {
  const TempFolder folder;
  for (const uint32_t alignment : {8U, 64U, 4096U, 65536U}) {
    RawGguf raw;
    raw.header(2, 1).key("general.alignment", GgufType::kU32).number(alignment);
    raw.tensor("a", {2}, 0, 0).tensor("b", {2, 2}, 1, alignment).data(alignment + 8, alignment);
    const auto file = raw.open(folder);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->tensors()[0].offset % alignment, 0U);
    EXPECT_EQ(file->tensors()[1].offset, file->tensors()[0].offset + alignment);
    EXPECT_EQ(file->tensors()[1].offset + 8, file->file_bytes());
  }
}

TEST(GgufFile, SurvivesAMove) {
  const TempFolder folder;
  auto opened = RawGguf().header(1, 0).tensor("t", {4}, 0, 0).data(16).open(folder);
  ASSERT_TRUE(opened);
  const GgufFile file = std::move(*opened);
  EXPECT_EQ(file.find_tensor("t")->bytes[15], std::byte{1});
  file.release(*file.find_tensor("t"));
  EXPECT_EQ(file.find_tensor("t")->bytes[15], std::byte{1});
}

TEST(GgufFile, AFileWithoutTensorsIsLegal) {
  const TempFolder folder;
  const auto file = RawGguf().header(0, 0).open(folder);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->tensors().empty());
  EXPECT_TRUE(file->metadata().entries().empty());
}

TEST(GgufFile, RefusesOtherFormats) {
  const TempFolder folder;
  RawGguf raw;
  raw.bytes = "{\"safetensors\": true}";
  expect_error(raw.open(folder), ErrorCode::kCorrupt, "does not begin with 'GGUF'");
  raw.bytes = "GGU";
  expect_error(raw.open(folder), ErrorCode::kCorrupt, "does not begin with 'GGUF'");
  raw.bytes = "GGUF";
  expect_error(raw.open(folder), ErrorCode::kCorrupt, "at byte 4");
  expect_error(RawGguf().header(0, 0, 1).open(folder), ErrorCode::kUnsupported, "GGUF version 1");
  expect_error(RawGguf().header(0, 0, 4).open(folder), ErrorCode::kUnsupported, "GGUF version 4");
  expect_error(RawGguf().header(0, 0, 0).open(folder), ErrorCode::kUnsupported, "GGUF version 0");
  expect_error(RawGguf().header(0, 0, 0x03000000).open(folder), ErrorCode::kUnsupported, "big endian");
}

TEST(GgufFile, RefusesPartsOfASplitModel) {
  const TempFolder folder;
  const auto file =
      RawGguf().header(0, 1).key("split.count", GgufType::kU16).number(uint16_t{3}).open(folder);
  expect_error(file, ErrorCode::kUnsupported, "one of 3 parts");
}

TEST(GgufFile, NamesTheTensorTypeItDoesNotRead) {
  const TempFolder folder;
  const auto file = RawGguf().header(1, 0).tensor("w", {256}, 12, 0).data(144).open(folder);
  expect_error(file, ErrorCode::kUnsupported, "tensor 'w' has type Q4_K; supported: F32");
  const auto unknown = RawGguf().header(1, 0).tensor("w", {256}, 77, 0).data(144).open(folder);
  expect_error(unknown, ErrorCode::kUnsupported, "type 77");
}

}  // namespace
}  // namespace quire
