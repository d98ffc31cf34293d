#include "server/answers/response_store.h"

#include <gtest/gtest.h>

#include <string>

namespace quire {
namespace {

StoredResponse response(const std::string& id, TenantId tenant = 0, size_t bytes = 1000) {
  return {
      .id = id, .tenant = tenant, .json = std::string(bytes, 'x'), .input_items = {}, .conversation = {}};
}

TEST(ResponseStoreTest, GivesToItsTenantAlone) {
  ResponseStore store(1 << 20);
  store.put(response("a", 1));
  EXPECT_TRUE(store.get("a", 1));
  EXPECT_FALSE(store.get("a", 2));
  EXPECT_FALSE(store.get("b", 1));
  EXPECT_FALSE(store.remove("a", 2));
  EXPECT_TRUE(store.remove("a", 1));
  EXPECT_FALSE(store.remove("a", 1));
  EXPECT_FALSE(store.get("a", 1));
}

TEST(ResponseStoreTest, ANewOneTakesTheOldOnesPlace) {
  const int64_t each = response("0").bytes();
  ResponseStore store(2 * each);
  for (const char* id : {"0", "1", "1", "1"}) EXPECT_TRUE(store.put(response(id)));
  EXPECT_TRUE(store.get("0", 0));
  StoredResponse next = *store.get("1", 0);
  next.json = "y" + std::string(999, 'x');
  EXPECT_TRUE(store.put(next));
  EXPECT_EQ(store.get("1", 0)->json.front(), 'y');
  EXPECT_TRUE(store.get("0", 0));
  EXPECT_TRUE(store.remove("1", 0));
  EXPECT_FALSE(store.get("1", 0));
}

TEST(ResponseStoreTest, ForgetsWhatNobodyUsedForLongest) {
  const int64_t each = response("0").bytes();
  ResponseStore store(3 * each);
  for (const char* id : {"0", "1", "2"}) store.put(response(id));
  EXPECT_TRUE(store.get("0", 0));
  store.put(response("3"));
  EXPECT_FALSE(store.get("1", 0));
  for (const char* id : {"0", "2", "3"}) EXPECT_TRUE(store.get(id, 0)) << id;
  store.put(response("4", 0, 1000 + static_cast<size_t>(each)));  // takes the room of two
  EXPECT_FALSE(store.get("0", 0));
  EXPECT_FALSE(store.get("2", 0));
  EXPECT_TRUE(store.get("3", 0));
  EXPECT_TRUE(store.get("4", 0));
}

TEST(ResponseStoreTest, WhatIsBeingMadeStays) {
  StoredResponse running = response("r", 1);
  running.running = true;
  const int64_t each = running.bytes();
  ResponseStore store(4 * each);
  EXPECT_TRUE(store.put(running));
  for (const char* id : {"0", "1", "2", "3", "4"}) EXPECT_TRUE(store.put(response(id, 1)));
  EXPECT_TRUE(store.put(response("b", 2)));
  EXPECT_TRUE(store.get("r", 1));
  EXPECT_FALSE(store.get("2", 1));
  EXPECT_TRUE(store.get("4", 1));
  // Half of the room is for those that are made; more are refused, and cost nobody anything.
  for (const char* id : {"s", "t"}) {
    running.id = id;
    EXPECT_EQ(store.put(running), *id == 's') << id;
  }
  EXPECT_TRUE(store.get("b", 2));
  EXPECT_FALSE(store.get("t", 1));
  // One that ended may be forgotten, and there is room for another.
  EXPECT_TRUE(store.put(response("r", 1)));
  EXPECT_TRUE(store.put(running));
  for (const char* id : {"5", "6", "7", "8"}) EXPECT_TRUE(store.put(response(id, 1)));
  EXPECT_FALSE(store.get("r", 1));
  for (const char* id : {"s", "t"}) {
    EXPECT_TRUE(store.get(id, 1));
    EXPECT_TRUE(store.remove(id, 1));
  }
}

// What runs is not to be had, so it does not say who loses: its tenant would lose each answer as it ends.
TEST(ResponseStoreTest, WhatIsBeingMadeDoesNotSayWhoHoldsMost) {
  const int64_t each = response("a0", 1).bytes();
  ResponseStore store(8 * each);
  for (const char* id : {"a0", "a1", "a2", "a3"}) {
    StoredResponse running = response(id, 1);
    running.running = true;
    EXPECT_TRUE(store.put(running)) << id;
  }
  for (const char* id : {"b0", "b1"}) EXPECT_TRUE(store.put(response(id, 2)));
  for (const char* id : {"c0", "c1"}) EXPECT_TRUE(store.put(response(id, 3)));
  EXPECT_TRUE(store.put(response("a0", 1, 1000 + static_cast<size_t>(each) / 2)));  // it has ended
  EXPECT_TRUE(store.get("a0", 1));
  for (const char* id : {"a1", "a2", "a3"}) EXPECT_TRUE(store.get(id, 1)) << id;
}

// However full it is: "in_progress" is longer than "queued".
TEST(ResponseStoreTest, WhatIsBeingMadeMayChangeItsStatus) {
  StoredResponse running = response("r", 1);
  running.running = true;
  ResponseStore store(2 * running.bytes());
  EXPECT_TRUE(store.put(running));
  running.json += "12345";
  EXPECT_TRUE(store.put(running));
  EXPECT_EQ(store.get("r", 1)->json, running.json);
}

TEST(ResponseStoreTest, WhoHoldsMostLosesFirst) {
  const int64_t each = response("a0", 1).bytes();
  ResponseStore store(4 * each);
  for (const char* id : {"a0", "a1"}) EXPECT_TRUE(store.put(response(id, 1)));
  for (const char* id : {"b0", "b1", "b2", "b3", "b4"}) EXPECT_TRUE(store.put(response(id, 2)));
  for (const char* id : {"a0", "a1"}) EXPECT_TRUE(store.get(id, 1)) << id;
  for (const char* id : {"b0", "b1", "b2"}) EXPECT_FALSE(store.get(id, 2)) << id;
  for (const char* id : {"b3", "b4"}) EXPECT_TRUE(store.get(id, 2)) << id;
  ResponseStore many(int64_t{1} << 30);
  many.put(response("a", 1, 0));
  for (size_t i = 0; i <= ResponseStore::kMaxResponses; ++i) many.put(response(std::to_string(i), 2, 0));
  EXPECT_TRUE(many.get("a", 1));
  EXPECT_FALSE(many.get("0", 2));
  EXPECT_FALSE(many.get("1", 2));
  EXPECT_TRUE(many.get("2", 2));
}

// One that is larger than what anybody else holds is the first to go: it is not said to be kept.
TEST(ResponseStoreTest, SaysWhetherItIsKept) {
  const int64_t each = response("a1", 1).bytes();
  ResponseStore store(3 * each);
  for (TenantId tenant = 1; tenant <= 3; ++tenant) {
    EXPECT_TRUE(store.put(response("a" + std::to_string(tenant), tenant)));
  }
  StoredResponse large = response("b4", 4);
  large.json.resize(large.json.size() + static_cast<size_t>(each));
  EXPECT_FALSE(store.put(std::move(large)));
  EXPECT_FALSE(store.get("b4", 4));
}

TEST(ResponseStoreTest, HasBounds) {
  ResponseStore none(0);
  EXPECT_FALSE(none.on());
  none.put(response("a"));
  EXPECT_FALSE(none.get("a", 0));
  ResponseStore store(16 << 20);
  EXPECT_FALSE(store.put(response("large", 0, 17 << 20)));
  EXPECT_FALSE(store.get("large", 0));
  for (size_t i = 0; i <= ResponseStore::kMaxResponses; ++i) store.put(response(std::to_string(i), 0, 0));
  EXPECT_FALSE(store.get("0", 0));
  EXPECT_TRUE(store.get("1", 0));
}

TEST(ResponseStoreTest, AllOfAMessageCounts) {
  const int64_t empty = response("a").bytes();
  const std::string text(1000, 'x');
  const auto bytes_with = [&](ChatMessage message) {
    StoredResponse stored = response("a");
    stored.conversation.push_back(std::move(message));
    return stored.bytes() - empty;
  };
  EXPECT_GE(bytes_with({.role = "user", .content = text}), 1000);
  EXPECT_GE(bytes_with({.role = "tool", .content = {}, .tool_call_id = text}), 1000);
  EXPECT_GE(bytes_with({.role = "assistant", .content = {}, .reasoning_content = text}), 1000);
  // Arguments are there as text, and taken apart.
  ChatMessage call{.role = "assistant", .content = {}, .tool_calls = std::vector<MessageToolCall>(1)};
  call.tool_calls[0].arguments_json = text;
  EXPECT_GE(bytes_with(call), 2000);
}

// What is in use outlives its end.
TEST(ResponseStoreTest, WhoHoldsOneKeepsIt) {
  ResponseStore store(1 << 20);
  store.put(response("a"));
  const auto held = store.get("a", 0);
  store.remove("a", 0);
  EXPECT_EQ(held->json.size(), 1000);
}

}  // namespace
}  // namespace quire
