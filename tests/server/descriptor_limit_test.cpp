#include "server/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace quire {
namespace {

// The limits of this process, put back at the end. They belong to all of it, so a hard one is not lowered:
// it could not be raised again.
class DescriptorLimit : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0); }
  void TearDown() override { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

  void set_soft(rlim_t count) {
    const rlimit limit{.rlim_cur = count, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  static rlim_t soft() {
    rlimit limit{};
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur;
  }

  rlimit before_{};
};

TEST_F(DescriptorLimit, IsRaisedAsFarAsConnectionsNeed) {
  ASSERT_GT(before_.rlim_max, 512u);
  set_soft(128);
  EXPECT_EQ(allow_connections(200), 200);
  EXPECT_GT(soft(), 200u);
  EXPECT_LE(soft(), 512u);
}

TEST_F(DescriptorLimit, IsNotLowered) {
  set_soft(500);
  EXPECT_EQ(allow_connections(10), 10);
  EXPECT_EQ(soft(), 500u);
}

TEST_F(DescriptorLimit, OfTheSystemBoundsConnections) {
  constexpr int32_t kMany = 2'000'000'000;
  if (before_.rlim_max > kMany) GTEST_SKIP() << "no limit that a test could meet here";
  const int32_t allowed = allow_connections(kMany);
  EXPECT_EQ(soft(), before_.rlim_max);
  EXPECT_LT(allowed, static_cast<int64_t>(before_.rlim_max));
  EXPECT_GT(allowed, 0);
}

}  // namespace
}  // namespace quire
