#include "tensor/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace quire {
namespace {

TEST(Arena, IsZeroedAlignedAndWritable) {
  for (const int64_t bytes : {int64_t{1}, int64_t{4096}, int64_t{3} << 20}) {
    auto arena = Arena::create(bytes);
    ASSERT_TRUE(arena) << arena.error().message;
    EXPECT_EQ(arena->size(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena->data()) % (2 << 20), 0U);
    const std::span<std::byte> memory(arena->data(), static_cast<size_t>(bytes));
    EXPECT_TRUE(std::ranges::all_of(memory, [](std::byte b) { return b == std::byte{0}; }));
    std::ranges::fill(memory, std::byte{0xAB});
    EXPECT_EQ(memory.back(), std::byte{0xAB});
  }
}

TEST(Arena, NothingIsLegal) {
  auto arena = Arena::create(0);
  ASSERT_TRUE(arena);
  EXPECT_EQ(arena->size(), 0);
  const Arena none;
  EXPECT_EQ(none.size(), 0);
}

TEST(Arena, MovesWithItsAddress) {
  auto first = Arena::create(1 << 16);
  auto second = Arena::create(1 << 16);
  ASSERT_TRUE(first && second);
  std::byte* address = first->data();
  address[5] = std::byte{7};
  Arena moved = std::move(*first);
  EXPECT_EQ(moved.data(), address);
  EXPECT_EQ(moved.data()[5], std::byte{7});
  *second = std::move(moved);
  EXPECT_EQ(second->data(), address);
  EXPECT_EQ(second->size(), 1 << 16);
}

TEST(Arena, RefusesWhatTheAddressSpaceCannotHold) {
  const auto arena = Arena::create(int64_t{1} << 60);
  ASSERT_FALSE(arena);
  EXPECT_EQ(arena.error().code, ErrorCode::kResourceExhausted);
}

TEST(RoundUp, ToTheNextMultiple) {
  EXPECT_EQ(round_up(0, 64), 0);
  EXPECT_EQ(round_up(1, 64), 64);
  EXPECT_EQ(round_up(64, 64), 64);
  EXPECT_EQ(round_up(65, 64), 128);
  EXPECT_EQ(round_up(10, 3), 12);
}

}  // namespace
}  // namespace quire
