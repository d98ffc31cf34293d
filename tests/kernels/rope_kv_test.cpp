#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

#include "base/rng.h"
#include "kernels/attention_plan.h"
#include "tensor/dtype.h"
#include "tensor/half.h"
#include "tests/kernels/levels.h"

namespace quire {
namespace {

// Tokens on their way into a cache. `stride` leaves a gap after q, k and v, as rows of padded width do.
struct RopeCase {
  AttentionShape shape;
  int rope_dim;
  bool interleaved;
  KvDType dtype;
  int block_size;
  int num_tokens;

  int64_t q_width() const { return int64_t{shape.num_heads} * shape.head_dim; }
  int64_t kv_width() const { return int64_t{shape.num_kv_heads} * shape.head_dim; }
  int64_t stride() const { return q_width() + 2 * kv_width() + 5; }
};

struct Buffers {
  explicit Buffers(const RopeCase& c)
      : row(static_cast<size_t>(c.stride() * c.num_tokens)),
        cos_sin(static_cast<size_t>(c.num_tokens * (c.rope_dim / 2 * 2))),
        slots(static_cast<size_t>(c.num_tokens)),
        scratch(static_cast<size_t>(attention_scratch_bytes(c.shape) + 64)) {
    Rng rng(11);
    for (float& x : row) x = static_cast<float>(rng.uniform() * 8 - 4);
    for (size_t i = 0; i < cos_sin.size(); i += 2) {
      const double angle = rng.uniform() * 6.3;
      cos_sin[i] = static_cast<float>(std::cos(angle));
      cos_sin[i + 1] = static_cast<float>(std::sin(angle));
    }
    const int num_blocks = c.num_tokens / c.block_size + 2;
    for (int t = 0; t < c.num_tokens; ++t) {  // the tokens' blocks in descending order, from an odd offset
      const int position = t + 3;
      slots[static_cast<size_t>(t)] =
          int64_t{num_blocks - 1 - position / c.block_size} * c.block_size + position % c.block_size;
    }
    head_bytes = kv_head_bytes(c.dtype, c.block_size, c.shape.head_dim);
    block_bytes = head_bytes * c.shape.num_kv_heads;
    keys.assign(static_cast<size_t>(block_bytes * num_blocks), std::byte{0xa5});
    values = keys;
  }

  RopeKvArgs args(const RopeCase& c) {
    RopeKvArgs args{};
    args.q = row.data();
    args.k = row.data() + c.q_width();
    args.v = row.data() + c.q_width() + c.kv_width();
    args.stride = c.stride();
    args.cos_sin = cos_sin.data();
    args.slots = slots.data();
    args.num_tokens = c.num_tokens;
    args.num_heads = c.shape.num_heads;
    args.rope_dim = c.rope_dim;
    args.interleaved = c.interleaved;
    args.kv = {keys.data(),  values.data(),        block_bytes,      head_bytes,
               c.block_size, c.shape.num_kv_heads, c.shape.head_dim, c.dtype};
    return args;
  }

  ExecContext context() {
    void* memory = scratch.data();
    size_t room = scratch.size();
    std::align(64, room - 64, memory, room);
    return {0, static_cast<std::byte*>(memory), static_cast<int64_t>(scratch.size()) - 64};
  }

  std::vector<float> row;
  std::vector<float> cos_sin;
  std::vector<int64_t> slots;
  std::vector<std::byte> scratch;
  int64_t head_bytes = 0;
  int64_t block_bytes = 0;
  std::vector<std::byte> keys;
  std::vector<std::byte> values;
};

std::vector<RopeCase> cases() {
  std::vector<RopeCase> all;
  for (const bool interleaved : {true, false}) {
    for (const KvDType dtype : {KvDType::kF32, KvDType::kF16, KvDType::kBF16, KvDType::kInt8}) {
      all.push_back({{9, 3, 64}, 64, interleaved, dtype, 16, 21});
      all.push_back({{4, 2, 80}, 40, interleaved, dtype, 32, 40});
      all.push_back({{2, 1, 128}, 128, interleaved, dtype, 128, 3});
      all.push_back({{3, 3, 13}, 6, interleaved, dtype, 8, 19});
      all.push_back({{1, 1, 20}, 20, interleaved, dtype, 8, 5});
    }
  }
  return all;
}

std::string describe(const KernelTable& table, const RopeCase& c) {
  return std::string(to_string(table.isa)) + ": head_dim " + std::to_string(c.shape.head_dim) +
         ", rope_dim " + std::to_string(c.rope_dim) + ", " + std::string(to_string(c.dtype)) +
         (c.interleaved ? ", interleaved" : ", halves");
}

TEST(Rope, RotatesPairsByTheirAngle) {
  for (const KernelTable* table : runnable_levels()) {
    for (const RopeCase& c : cases()) {
      SCOPED_TRACE(describe(*table, c));
      Buffers before(c);
      Buffers after(c);
      table->rope(after.context(), after.args(c), 0, c.num_tokens);
      const int half = c.rope_dim / 2;
      const int heads = c.shape.num_heads + c.shape.num_kv_heads;  // k follows q in a row
      for (int64_t t = 0; t < c.num_tokens; ++t) {
        std::vector<double> want(before.row.begin() + t * c.stride(),
                                 before.row.begin() + (t + 1) * c.stride());
        for (int h = 0; h < heads; ++h) {
          for (int i = 0; i < half; ++i) {
            const auto at = static_cast<size_t>(h * c.shape.head_dim);
            const size_t first = at + static_cast<size_t>(c.interleaved ? 2 * i : i);
            const size_t second = at + static_cast<size_t>(c.interleaved ? 2 * i + 1 : i + half);
            const double cosine = before.cos_sin[static_cast<size_t>(t * 2 * half + 2 * i)];
            const double sine = before.cos_sin[static_cast<size_t>(t * 2 * half + 2 * i + 1)];
            const double x = want[first];
            const double y = want[second];
            want[first] = x * cosine - y * sine;
            want[second] = x * sine + y * cosine;
          }
        }
        for (size_t i = 0; i < want.size(); ++i) {
          ASSERT_NEAR(after.row[static_cast<size_t>(t * c.stride()) + i], want[i], 1e-6)
              << "token " << t << ", " << i;
        }
      }
    }
  }
}

TEST(Rope, FusedWriteGivesTheSameBitsAsRopeThenWrite) {
  for (const KernelTable* table : runnable_levels()) {
    for (const RopeCase& c : cases()) {
      SCOPED_TRACE(describe(*table, c));
      Buffers apart(c);
      table->rope(apart.context(), apart.args(c), 0, c.num_tokens);
      table->kv_write(apart.context(), apart.args(c), 0, c.num_tokens);
      Buffers fused(c);
      const Buffers before(c);
      const int64_t middle = c.num_tokens / 2;
      table->rope_kv_write(fused.context(), fused.args(c), middle, c.num_tokens);
      table->rope_kv_write(fused.context(), fused.args(c), 0, middle);
      EXPECT_EQ(apart.keys, fused.keys);
      EXPECT_EQ(apart.values, fused.values);
      for (int64_t t = 0; t < c.num_tokens; ++t) {
        const auto bytes = [&](const Buffers& from, int64_t column) {
          return from.row.data() + t * c.stride() + column;
        };
        const auto q_bytes = static_cast<size_t>(c.q_width()) * sizeof(float);
        const auto rest_bytes = static_cast<size_t>(c.stride() - c.q_width()) * sizeof(float);
        EXPECT_EQ(std::memcmp(bytes(apart, 0), bytes(fused, 0), q_bytes), 0);
        EXPECT_EQ(std::memcmp(bytes(before, c.q_width()), bytes(fused, c.q_width()), rest_bytes), 0)
            << "k and v stay";
      }
    }
  }
}

// Any float, NaN, infinities, ties and subnormals among them.
std::vector<float> awkward_floats(size_t count) {
  Rng rng(5);
  std::vector<float> all;
  for (const float x : {0.0F,
                        -0.0F,
                        65504.0F,
                        65519.0F,
                        65520.0F,
                        1e6F,
                        -1e9F,
                        0x1p-14F,
                        0x1p-24F,
                        0x1p-25F,
                        0x1.8p-25F,
                        0x1p-26F,
                        0x1.002p0F,
                        0x1.006p0F,
                        0x1.01p0F,
                        0x1.03p0F,
                        3.3895314e38F,
                        std::numeric_limits<float>::infinity(),
                        -std::numeric_limits<float>::infinity(),
                        std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::denorm_min()}) {
    all.push_back(x);
  }
  while (all.size() < count) all.push_back(std::bit_cast<float>(static_cast<uint32_t>(rng())));
  all.resize(count);
  return all;
}

uint16_t rounded_bits(KvDType dtype, float x) {
  return dtype == KvDType::kF16 ? float_to_fp16(x) : float_to_bf16(x);
}

TEST(KvWrite, RoundsToNearestEvenTheSameOnAllLevels) {
  for (const KvDType dtype : {KvDType::kF16, KvDType::kBF16}) {
    // One block of 8 tokens, 1 head: values are [token][dim], keys [dim][token].
    const RopeCase c{{1, 1, 512}, 0, false, dtype, 8, 5};
    for (const KernelTable* table : runnable_levels()) {
      SCOPED_TRACE(describe(*table, c));
      Buffers buffers(c);
      buffers.row = awkward_floats(buffers.row.size());
      std::iota(buffers.slots.begin(), buffers.slots.end(), 0);
      table->kv_write(buffers.context(), buffers.args(c), 0, c.num_tokens);
      for (int64_t t = 0; t < c.num_tokens; ++t) {
        for (int64_t d = 0; d < 512; ++d) {
          const float* row = buffers.row.data() + t * c.stride();
          uint16_t key = 0;
          uint16_t value = 0;
          std::memcpy(&key, buffers.keys.data() + (d * 8 + t) * 2, 2);
          std::memcpy(&value, buffers.values.data() + (t * 512 + d) * 2, 2);
          ASSERT_EQ(key, rounded_bits(dtype, row[512 + d])) << row[512 + d];
          ASSERT_EQ(value, rounded_bits(dtype, row[1024 + d])) << row[1024 + d];
        }
      }
    }
  }
}

// Where int8 quants and scales lie, and what they are: each element within half a step of what was
// written.
TEST(KvWrite, Int8QuantsAreWithinHalfAStep) {
  constexpr int kHeadDim = 21;
  const RopeCase c{{2, 2, kHeadDim}, 0, false, KvDType::kInt8, 16, 7};
  for (const KernelTable* table : runnable_levels()) {
    SCOPED_TRACE(describe(*table, c));
    Buffers buffers(c);
    std::iota(buffers.slots.begin(), buffers.slots.end(), 0);
    table->kv_write(buffers.context(), buffers.args(c), 0, c.num_tokens);
    for (int64_t t = 0; t < c.num_tokens; ++t) {
      for (int64_t h = 0; h < 2; ++h) {
        const float* key = buffers.row.data() + t * c.stride() + c.q_width() + h * kHeadDim;
        for (const bool is_key : {true, false}) {
          const float* x = is_key ? key : key + c.kv_width();
          const std::byte* head = (is_key ? buffers.keys : buffers.values).data() + h * buffers.head_bytes;
          float scale = 0;
          std::memcpy(&scale, head + 16 * (kHeadDim + 1) + t * 4, 4);
          float largest = 0;
          for (int64_t d = 0; d < kHeadDim; ++d) largest = std::max(largest, std::abs(x[d]));
          EXPECT_EQ(scale, largest / 127);
          for (int64_t d = 0; d < kHeadDim; ++d) {
            const int64_t at = is_key ? d / 2 * 32 + t * 2 + d % 2 : t / 2 * 2 * kHeadDim + d * 2 + t % 2;
            const auto quant = static_cast<float>(static_cast<int8_t>(head[at]));
            EXPECT_NEAR(quant * scale, x[d], scale * 0.50001F);
          }
        }
      }
    }
  }
}

// Nothing to divide by: zeros stay zeros, and a head that is not finite says so by its scale.
TEST(KvWrite, Int8OfNothingAndOfTooMuch) {
  const RopeCase c{{1, 1, 8}, 0, false, KvDType::kInt8, 8, 4};
  for (const KernelTable* table : runnable_levels()) {
    SCOPED_TRACE(describe(*table, c));
    Buffers buffers(c);
    std::iota(buffers.slots.begin(), buffers.slots.end(), 0);
    std::fill(buffers.row.begin(), buffers.row.end(), 0.0F);
    const auto key = [&](int64_t token) { return buffers.row.data() + token * c.stride() + c.q_width(); };
    key(1)[3] = std::numeric_limits<float>::infinity();
    key(2)[0] = std::numeric_limits<float>::quiet_NaN();
    key(3)[7] = std::numeric_limits<float>::denorm_min();
    table->kv_write(buffers.context(), buffers.args(c), 0, c.num_tokens);
    for (int64_t t = 0; t < 4; ++t) {
      float scale = 0;
      std::memcpy(&scale, buffers.keys.data() + 64 + t * 4, 4);
      EXPECT_EQ(std::isnan(scale), t == 1 || t == 2);
      EXPECT_TRUE(std::isnan(scale) || scale == 0);
      for (int64_t d = 0; d < 8; ++d) {
        EXPECT_EQ(buffers.keys[static_cast<size_t>(d / 2 * 16 + t * 2 + d % 2)], std::byte{0});
      }
    }
  }
}

TEST(KvWrite, TouchesItsSlotsAlone) {
  for (const KernelTable* table : runnable_levels()) {
    for (const RopeCase& c : cases()) {
      SCOPED_TRACE(describe(*table, c));
      Buffers buffers(c);
      for (float& x : buffers.row) x = 1;  // no element of which has the byte that the cache is filled with
      table->kv_write(buffers.context(), buffers.args(c), 0, c.num_tokens);
      for (const auto* cache : {&buffers.keys, &buffers.values}) {
        const auto untouched = std::count(cache->begin(), cache->end(), std::byte{0xa5});
        int64_t written = c.shape.num_kv_heads * kv_head_bytes(c.dtype, c.num_tokens, c.shape.head_dim);
        // A key's odd last dimension has a zero beside it, a value's has not.
        if (c.dtype == KvDType::kInt8 && cache == &buffers.values) {
          written -= c.num_tokens * c.shape.num_kv_heads * (c.shape.head_dim % 2);
        }
        EXPECT_EQ(untouched, std::ssize(*cache) - written);
      }
    }
  }
}

// A cache written at one level can be read at another: they agree on every byte.
TEST(KvWrite, AllLevelsAgreeOnThePlacement) {
  const auto levels = runnable_levels();
  for (const RopeCase& c : cases()) {
    Buffers first(c);
    levels.front()->kv_write(first.context(), first.args(c), 0, c.num_tokens);
    for (const KernelTable* table : levels) {
      SCOPED_TRACE(describe(*table, c));
      Buffers buffers(c);
      table->kv_write(buffers.context(), buffers.args(c), 0, c.num_tokens);
      EXPECT_EQ(first.keys, buffers.keys);
      EXPECT_EQ(first.values, buffers.values);
    }
  }
}

}  // namespace
}  // namespace quire
