#include "kernels/kernel_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kernels/cpu_features.h"
#include "tensor/dtype.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

TEST(SelectKernels, TakesTheBestByDefault) {
  const auto best = select_kernels("");
  ASSERT_TRUE(best.has_value());
  const CpuFeatures features = detect_cpu_features();
  const Isa expected = features.amx      ? Isa::kAmx
                       : features.vnni   ? Isa::kVnni
                       : features.avx512 ? Isa::kAvx512
                       : features.avx2   ? Isa::kAvx2
                                         : Isa::kScalar;
  EXPECT_EQ((*best)->isa, expected);
}

TEST(SelectKernels, AnOverrideForcesALevelThatTheCpuHas) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    const auto chosen = select_kernels(to_string(isa));
    if (kernels_for(isa) != nullptr) {
      ASSERT_TRUE(chosen.has_value());
      EXPECT_EQ(*chosen, kernels_for(isa));
      EXPECT_EQ((*chosen)->isa, isa);
    } else {
      ASSERT_FALSE(chosen.has_value());
      EXPECT_EQ(chosen.error().code, ErrorCode::kUnsupported);
      EXPECT_THAT(chosen.error().message, HasSubstr(std::string(to_string(isa))));
      EXPECT_THAT(chosen.error().message, HasSubstr("scalar"));
    }
  }
}

TEST(SelectKernels, AnUnknownNameIsAnErrorThatListsTheLevels) {
  for (const char* name : {"AVX2", "sse", " avx2", "amx2", "scalar,avx2"}) {
    const auto chosen = select_kernels(name);
    ASSERT_FALSE(chosen.has_value());
    EXPECT_EQ(chosen.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(chosen.error().message, HasSubstr(name));
    EXPECT_THAT(chosen.error().message, HasSubstr("scalar"));
  }
}

TEST(KernelTable, HasEveryEntry) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    const KernelTable* table = kernels_for(isa);
    if (table == nullptr) continue;
    SCOPED_TRACE(std::string(to_string(isa)));
    EXPECT_GT(table->row_group, 0);
    for (int i = 0; i < kNumDTypes; ++i) {
      EXPECT_NE(table->linear[i][static_cast<int>(ActivationFormat::kF32)], nullptr);
      EXPECT_EQ(table->linear[i][static_cast<int>(ActivationFormat::kInt8)] != nullptr,
                is_quantized(static_cast<DType>(i)));
    }
    EXPECT_TRUE(table->packed_bytes && table->activation_bytes && table->scratch_bytes && table->pack);
    EXPECT_TRUE(table->embed && table->rms_norm && table->quantize && table->silu_mul && table->add);
    EXPECT_TRUE(table->rope && table->kv_write && table->rope_kv_write && table->attention &&
                table->attention_merge);
    EXPECT_TRUE(table->argmax && table->max_sum_exp && table->select);
  }
}

TEST(KernelTable, ActivationsTakeTheirExactSize) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    const KernelTable* table = kernels_for(isa);
    if (table == nullptr) continue;
    EXPECT_EQ(table->activation_bytes(ActivationFormat::kF32, 3, 576), 3 * 576 * 4);
    const int64_t one = table->activation_bytes(ActivationFormat::kInt8, 1, 576);
    EXPECT_GE(one, 576 + 18 * 4);
    EXPECT_EQ(table->activation_bytes(ActivationFormat::kInt8, 64, 576), 64 * one);
  }
}

TEST(KernelTable, ScratchIsBoundedForAnyWidth) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    const KernelTable* table = kernels_for(isa);
    if (table == nullptr) continue;
    EXPECT_LE(table->scratch_bytes(int64_t{1} << 20), (int64_t{1} << 20) * 4 + (1 << 20));
  }
}

}  // namespace
}  // namespace quire
