#include "memory/reservations.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

using enum AllocationPolicy;

constexpr Reservations::Pool kPool{.num_blocks = 16, .block_size = 4, .max_model_len = 32};

void expect_slots(const Reservations& reservations, int64_t needed, int64_t asked, int64_t taken) {
  EXPECT_EQ(reservations.slots().needed, needed);
  EXPECT_EQ(reservations.slots().asked, asked);
  EXPECT_EQ(reservations.slots().taken, taken);
  const auto checked = reservations.check();
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(Reservations, MaxHoldsTwoContexts) {
  Reservations reservations(kReserveMax, kPool);
  EXPECT_TRUE(reservations.reserve(1, 3, 2));
  EXPECT_TRUE(reservations.reserve(2, 3, 4));
  EXPECT_FALSE(reservations.reserve(3, 1, 1));
  expect_slots(reservations, 5 + 7, 64, 64);
  reservations.release(1);
  EXPECT_TRUE(reservations.reserve(3, 1, 1));
  expect_slots(reservations, 7 + 2, 64, 64);
}

TEST(Reservations, OracleStillRoundsToARange) {
  Reservations reservations(kReserveOracle, kPool);
  EXPECT_TRUE(reservations.reserve(1, 10, 7)) << "5 blocks, so a range of 8";
  expect_slots(reservations, 17, 17, 32);
  reservations.release(1);
  reservations.release(1);  // has none any more
  expect_slots(reservations, 0, 0, 0);
}

TEST(Reservations, CapacityIsThatOfAnEmptyPool) {
  EXPECT_EQ(Reservations::capacity(kReserveMax, kPool, 1, 1), 2);
  EXPECT_EQ(Reservations::capacity(kReserveOracle, kPool, 10, 7), 2);
  EXPECT_EQ(Reservations::capacity(kReserveOracle, kPool, 2, 2), 16);
  EXPECT_EQ(Reservations::capacity(kReservePow2, kPool, 2, 5), 4) << "10 tokens, 3 blocks, ranges of 4";
}

}  // namespace
}  // namespace quire
