#include "tensor/arena.h"

#include <gtest/gtest.h>

#include <utility>

namespace quire {
namespace {

TEST(Arena, IsZeroedAlignedAndWritable) {
  for (const int64_t bytes : {int64_t{1}, int64_t{4096}, int64_t{5} << 20}) {
    auto arena = Arena::create(bytes);
    ASSERT_TRUE(arena);
    EXPECT_EQ(arena->size(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena->data()) % (2 << 20), 0U);
    EXPECT_EQ(arena->data()[0], std::byte{0});
    arena->data()[bytes - 1] = std::byte{7};
  }
}

TEST(Arena, MovesItsMemory) {
  auto arena = Arena::create(64);
  std::byte* data = arena->data();
  Arena other = std::move(*arena);
  EXPECT_EQ(other.data(), data);
  EXPECT_EQ(arena->data(), nullptr);
  Arena third;
  third = std::move(other);
  EXPECT_EQ(third.data(), data);
}

TEST(Arena, EmptyTakesNothing) {
  auto arena = Arena::create(0);
  ASSERT_TRUE(arena);
  EXPECT_EQ(arena->size(), 0);
}

TEST(Arena, MoreThanTheAddressSpaceIsAnError) {
  auto arena = Arena::create(int64_t{1} << 60);
  ASSERT_FALSE(arena);
  EXPECT_EQ(arena.error().code, ErrorCode::kResourceExhausted);
}

TEST(RoundUp, GoesToTheNextMultiple) {
  EXPECT_EQ(round_up(0, 8), 0);
  EXPECT_EQ(round_up(1, 8), 8);
  EXPECT_EQ(round_up(16, 8), 16);
}

}  // namespace
}  // namespace quire
