#include "base/thread_name.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <string>
#include <thread>

namespace quire {
namespace {

std::string name_of_this_thread() {
  std::array<char, 16> name{};
  EXPECT_EQ(pthread_getname_np(pthread_self(), name.data(), name.size()), 0);
  return name.data();
}

TEST(ThreadName, IsThatOfOneThread) {
  const std::string before = name_of_this_thread();
  std::string named;
  std::thread([&] {
    set_thread_name("quire-test");
    named = name_of_this_thread();
  }).join();
  EXPECT_EQ(named, "quire-test");
  EXPECT_EQ(name_of_this_thread(), before);
}

TEST(ThreadNameDeathTest, OfMoreThanFifteenCharactersIsABug) {
  EXPECT_DEATH(set_thread_name("sixteen letters!"), "no name for a thread");
}

}  // namespace
}  // namespace quire
