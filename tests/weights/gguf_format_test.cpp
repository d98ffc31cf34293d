#include "weights/gguf_format.h"

#include <gtest/gtest.h>

#include <set>

namespace quire {
namespace {

TEST(GgufFormat, TensorTypesHaveTheFormatsNumbers) {
  EXPECT_EQ(ggml_type_of(DType::kF32), 0U);
  EXPECT_EQ(ggml_type_of(DType::kF16), 1U);
  EXPECT_EQ(ggml_type_of(DType::kQ4_0), 2U);
  EXPECT_EQ(ggml_type_of(DType::kQ4_1), 3U);
  EXPECT_EQ(ggml_type_of(DType::kQ8_0), 8U);
  EXPECT_EQ(ggml_type_of(DType::kBF16), 30U);
}

TEST(GgufFormat, EveryTypeWeReadIsFoundByItsNumberAndNoOther) {
  std::set<DType> found;
  for (uint32_t type = 0; type < 1000; ++type) {
    const auto dtype = dtype_of_ggml_type(type);
    if (!dtype) continue;
    EXPECT_EQ(ggml_type_of(*dtype), type);
    found.insert(*dtype);
  }
  EXPECT_EQ(found.size(), static_cast<size_t>(kNumDTypes));
}

TEST(GgufFormat, NamesOfTypesWeDoNotRead) {
  EXPECT_EQ(ggml_type_name(12), "Q4_K");
  EXPECT_EQ(ggml_type_name(14), "Q6_K");
  EXPECT_EQ(ggml_type_name(23), "IQ4_XS");
  EXPECT_EQ(ggml_type_name(39), "MXFP4");
  EXPECT_EQ(ggml_type_name(4), "type 4");
  EXPECT_EQ(ggml_type_name(0xffffffff), "type 4294967295");
}

TEST(GgufFormat, ValueTypes) {
  EXPECT_EQ(gguf_type_name(0), "u8");
  EXPECT_EQ(gguf_type_name(12), "f64");
  EXPECT_EQ(gguf_type_name(13), "type 13");
  EXPECT_EQ(gguf_scalar_bytes(GgufType::kU8), 1U);
  EXPECT_EQ(gguf_scalar_bytes(GgufType::kBool), 1U);
  EXPECT_EQ(gguf_scalar_bytes(GgufType::kF32), 4U);
  EXPECT_EQ(gguf_scalar_bytes(GgufType::kI64), 8U);
  EXPECT_EQ(gguf_scalar_bytes(GgufType::kString), 0U);
  EXPECT_EQ(gguf_scalar_bytes(GgufType::kArray), 0U);
  EXPECT_EQ(gguf_scalar_bytes(static_cast<GgufType>(0xffffffff)), 0U);
}

TEST(GgufFormat, PrintableEscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("blk.0.attn_q.weight"), "blk.0.attn_q.weight");
  EXPECT_EQ(printable("a\x1b[2J\n\xff"), "a\\x1b[2J\\x0a\\xff");
  EXPECT_EQ(printable(std::string(81, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(printable(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(printable(""), "");
}

}  // namespace
}  // namespace quire
