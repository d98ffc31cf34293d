#include "cli/interrupt.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

volatile std::sig_atomic_t seen = 0;

TEST(InterruptFlag, CatchesWhileItLivesAndGivesBackAfter) {
  std::signal(SIGINT, [](int) { seen = 1; });
  {
    const InterruptFlag flag;
    EXPECT_FALSE(flag.raised());
    std::raise(SIGINT);
    EXPECT_TRUE(flag.raised());
    EXPECT_EQ(seen, 0);
  }
  std::raise(SIGINT);
  EXPECT_EQ(seen, 1);
  EXPECT_FALSE(InterruptFlag().raised());
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace
}  // namespace quire
