#include "memory/allocation_policy.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

using enum AllocationPolicy;

TEST(AllocationPolicy, SetsAsideWhatThePaperSays) {
  EXPECT_EQ(reserved_tokens(kReserveMax, 10, 25, 2048), 2048);
  EXPECT_EQ(reserved_tokens(kReservePow2, 10, 25, 2048), 10 + 32);
  EXPECT_EQ(reserved_tokens(kReservePow2, 10, 32, 2048), 10 + 32);
  EXPECT_EQ(reserved_tokens(kReservePow2, 10, 1, 2048), 11);
  EXPECT_EQ(reserved_tokens(kReserveOracle, 10, 25, 2048), 35);
}

TEST(AllocationPolicy, NeverMoreThanTheContextNorLessThanTheSequence) {
  EXPECT_EQ(reserved_tokens(kReservePow2, 1000, 1030, 2048), 2048);
  EXPECT_EQ(reserved_tokens(kReserveMax, 1000, 1048, 2048), 2048);
}

TEST(AllocationPolicy, NamesAreThoseOfTheFigures) {
  EXPECT_EQ(to_string(kPaged), "paged");
  EXPECT_EQ(to_string(kReserveMax), "reserve-max");
  EXPECT_EQ(to_string(kReservePow2), "reserve-pow2");
  EXPECT_EQ(to_string(kReserveOracle), "reserve-oracle");
}

}  // namespace
}  // namespace quire
