#include "chat/value.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace quire {
namespace {

TEST(Value, KnowsItsType) {
  EXPECT_TRUE(Value().is_undefined());
  EXPECT_TRUE(Value::null().is_null());
  EXPECT_TRUE(Value::boolean(false).is_boolean());
  EXPECT_EQ(Value::integer(-5).as_integer(), -5);
  EXPECT_EQ(Value::number(0.5).as_number(), 0.5);
  EXPECT_EQ(Value::string("a").as_bytes(), "a");
  EXPECT_TRUE(Value::tuple({}).is_array_of(Value::ArrayKind::kTuple));
  EXPECT_TRUE(Value::array().is_array_of(Value::ArrayKind::kList));
  EXPECT_TRUE(Value::object().is_object());
  EXPECT_EQ(Value::undefined("x").undefined_name(), "x");
}

TEST(Value, TextKnowsItsWriter) {
  EXPECT_FALSE(Value::string("a").as_text().has_user_bytes());
  EXPECT_TRUE(Value::user_text("a").as_text().has_user_bytes());
  EXPECT_FALSE(Value::user_text("").as_text().has_user_bytes());
}

TEST(Value, CopiesDoNotSeeLaterChanges) {
  Value list = Value::array({Value::integer(1)});
  const Value before = list;
  list.push_back(Value::integer(2));
  EXPECT_EQ(before.items().size(), 1u);
  EXPECT_EQ(list.items().size(), 2u);
  Value object = Value::object();
  object.set("a", Value::integer(1));
  const Value old = object;
  object.set("a", Value::integer(2));
  object.set("b", list);
  EXPECT_EQ(old.find("a")->as_integer(), 1);
  EXPECT_EQ(old.find("b"), nullptr);
  EXPECT_EQ(object.find("a")->as_integer(), 2);
}

TEST(Value, ContainsItself) {
  Value list = Value::array();
  list.push_back(list);  // a copy of what it was
  EXPECT_EQ(list.items().size(), 1u);
  EXPECT_TRUE(list.items()[0].items().empty());
  EXPECT_EQ(list.depth(), 2);
}

TEST(Value, KeysCompareAsInPython) {
  Value object = Value::object();
  object.set(Value::integer(1), Value::string("one"));
  object.set(Value::string("1"), Value::string("text"));
  object.set(Value::null(), Value::string("none"));
  EXPECT_EQ(object.find(Value::number(1.0))->as_bytes(), "one");
  EXPECT_EQ(object.find(Value::boolean(true))->as_bytes(), "one");
  EXPECT_EQ(object.find("1")->as_bytes(), "text");
  EXPECT_EQ(object.find(Value::null())->as_bytes(), "none");
  EXPECT_EQ(object.find(Value::number(1.5)), nullptr);
  EXPECT_EQ(object.find(Value::array()), nullptr);
}

TEST(Value, CountsItsDepth) {
  EXPECT_EQ(Value::integer(1).depth(), 0);
  EXPECT_EQ(Value::array().depth(), 1);
  Value object = Value::object();
  object.set("k", Value::array({Value::tuple({Value::array()})}));
  EXPECT_EQ(object.depth(), 4);
}

// Few members are scanned and many are mapped; both behave as one ordered map.
RC_GTEST_PROP(ValueObject, KeepsTheOrderOfInsertion,
              (const std::vector<std::pair<uint8_t, int>>& changes)) {
  Value object = Value::object();
  std::vector<std::string> order;
  std::map<std::string, int> expected;
  for (const auto& [number, content] : changes) {
    const std::string key = std::to_string(number % 40);
    if (expected.insert_or_assign(key, content).second) order.push_back(key);
    object.set(key, Value::integer(content));
  }
  RC_ASSERT(object.members().size() == order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    RC_ASSERT(object.members()[i].key.as_bytes() == order[i]);
    RC_ASSERT(object.find(order[i])->as_integer() == expected[order[i]]);
  }
  RC_ASSERT(object.find("none") == nullptr);
}

}  // namespace
}  // namespace quire
