#include "memory/block_hasher.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

namespace quire {
namespace {

std::string hex(const BlockDigest& digest) {
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

Blake2Hasher::Secret counting_secret() {
  Blake2Hasher::Secret secret;
  std::iota(secret.begin(), secret.end(), uint8_t{0});
  return secret;
}

// Python: root = blake2b(pack('<2i', 3, 9) + b'salt', key=bytes(range(32)), digest_size=32),
// child = blake2b(root + pack('<4i', 1, 2, 3, 70000), digest_size=32).
TEST(Blake2Hasher, IsBlake2b256AsOthersComputeIt) {
  const Blake2Hasher hasher(counting_secret());
  const BlockDigest root = hasher.root({.adapter = 3, .tenant = 9, .salt = "salt"});
  EXPECT_EQ(hex(root), "906b8e515f9102c725e8a65ab5bf29aa36f28d7ebdce8f24c43774ead6c72a36");
  EXPECT_EQ(hex(hasher.child(root, std::vector<TokenId>{1, 2, 3, 70000})),
            "9f4c49182a53ce811794357439924696a743fbb7e377d79cbcd5dcfddd2988ce");
}

TEST(Blake2Hasher, EveryPartOfTheNameMatters) {
  const Blake2Hasher hasher(counting_secret());
  const BlockDigest root = hasher.root({});
  EXPECT_NE(root, hasher.root({.adapter = 1}));
  EXPECT_NE(root, hasher.root({.tenant = 1}));
  EXPECT_NE(root, hasher.root({.salt = "a"}));
  EXPECT_NE(root, Blake2Hasher(Blake2Hasher::random_secret()).root({}));
  const std::vector<TokenId> tokens{1, 2}, others{2, 1};
  EXPECT_NE(hasher.child(root, tokens), hasher.child(root, others));
  EXPECT_NE(hasher.child(root, tokens), hasher.child(hasher.child(root, tokens), tokens));
}

TEST(Blake2Hasher, NoTwoProcessesHaveTheSameSecret) {
  EXPECT_NE(Blake2Hasher::random_secret(), Blake2Hasher::random_secret());
}

}  // namespace
}  // namespace quire
