#include "weights/gguf_metadata.h"

#include <cmath>
#include <limits>

#include "tests/weights/gguf_fixture.h"
#include "weights/gguf_writer.h"

namespace quire {
namespace {

// A file of keys alone, opened.
class GgufMetadataTest : public testing::Test {
 protected:
  const GgufMetadata& reopen() {
    const auto no_tensors = [](size_t, int64_t, int64_t, std::span<std::byte>) -> Expected<> { return {}; };
    EXPECT_TRUE(writer_.write(folder_.file("keys.gguf"), no_tensors));
    auto file = GgufFile::open(folder_.file("keys.gguf"));
    EXPECT_TRUE(file) << file.error().message;
    file_ = std::make_unique<GgufFile>(std::move(*file));
    return file_->metadata();
  }
  template <class T>
  void add(std::string_view key, GgufType type, T value) {
    writer_.add_raw(key, type, type, 1, std::as_bytes(std::span(&value, 1)));
  }

  TempFolder folder_;
  GgufWriter writer_;
  std::unique_ptr<GgufFile> file_;
};

TEST_F(GgufMetadataTest, IntegersOfEveryTypeConvert) {
  add("u8", GgufType::kU8, uint8_t{200});
  add("i8", GgufType::kI8, int8_t{-100});
  add("u16", GgufType::kU16, uint16_t{60000});
  add("i16", GgufType::kI16, int16_t{-30000});
  add("u32", GgufType::kU32, uint32_t{4000000000});
  add("i32", GgufType::kI32, int32_t{-2000000000});
  add("u64", GgufType::kU64, uint64_t{1} << 62);
  add("i64", GgufType::kI64, std::numeric_limits<int64_t>::min());
  const GgufMetadata& metadata = reopen();
  const auto value = [&](const char* key) { return metadata.integer(key, INT64_MIN, INT64_MAX).value(); };
  EXPECT_EQ(value("u8"), 200);
  EXPECT_EQ(value("i8"), -100);
  EXPECT_EQ(value("u16"), 60000);
  EXPECT_EQ(value("i16"), -30000);
  EXPECT_EQ(value("u32"), 4000000000);
  EXPECT_EQ(value("i32"), -2000000000);
  EXPECT_EQ(value("u64"), int64_t{1} << 62);
  EXPECT_EQ(value("i64"), std::numeric_limits<int64_t>::min());
}

TEST_F(GgufMetadataTest, RangesAreChecked) {
  add("five", GgufType::kU32, uint32_t{5});
  add("huge", GgufType::kU64, ~uint64_t{0});
  const GgufMetadata& metadata = reopen();
  EXPECT_EQ(metadata.integer("five", 5, 5), 5);
  expect_error(metadata.integer("five", 6, 9), ErrorCode::kCorrupt, "key 'five' must be 6 to 9, but is 5");
  expect_error(metadata.integer("five", 0, 4), ErrorCode::kCorrupt, "must be 0 to 4, but is 5");
  expect_error(metadata.integer("huge", INT64_MIN, INT64_MAX), ErrorCode::kCorrupt,
               "is 18446744073709551615");
  expect_error(metadata.integer("none", 0, 1), ErrorCode::kNotFound, "no key 'none'");
}

TEST_F(GgufMetadataTest, NumbersAreFiniteAndInRange) {
  writer_.add_f32("f32", 1.5F);
  add("f64", GgufType::kF64, -2.25);
  writer_.add_u32("int", 3);
  writer_.add_f32("nan", NAN);
  writer_.add_f32("inf", INFINITY);
  writer_.add_string("text", "1.5");
  const GgufMetadata& metadata = reopen();
  EXPECT_EQ(metadata.number("f32", 0, 2), 1.5);
  EXPECT_EQ(metadata.number("f64", -3, 0), -2.25);
  EXPECT_EQ(metadata.number("int", 0, 3), 3.0);
  expect_error(metadata.number("f32", 2, 3), ErrorCode::kCorrupt, "must be 2 to 3, but is 1.5");
  expect_error(metadata.number("nan", -INFINITY, INFINITY), ErrorCode::kCorrupt, "is nan");
  expect_error(metadata.number("inf", -INFINITY, INFINITY), ErrorCode::kCorrupt, "is inf");
  expect_error(metadata.number("text", 0, 2), ErrorCode::kCorrupt,
               "should be a number, but is of type string");
}

TEST_F(GgufMetadataTest, TypesAreNotMixedUp) {
  writer_.add_bool("yes", true);
  writer_.add_string("text", "hello");
  writer_.add_strings("list", std::vector<std::string>{"a", "", "cd"});
  writer_.add_i32s("ids", std::vector<int32_t>{3, -1});
  const GgufMetadata& metadata = reopen();
  EXPECT_EQ(metadata.boolean("yes"), true);
  EXPECT_EQ(metadata.string("text"), "hello");
  EXPECT_EQ(metadata.strings("list"), (std::vector<std::string>{"a", "", "cd"}));
  EXPECT_EQ(metadata.integers("ids", -1, 3), (std::vector<int64_t>{3, -1}));
  expect_error(metadata.integer("yes", 0, 1), ErrorCode::kCorrupt,
               "should be an integer, but is of type bool");
  expect_error(metadata.boolean("text"), ErrorCode::kCorrupt, "should be a bool");
  expect_error(metadata.string("list"), ErrorCode::kCorrupt, "but is of type array of string");
  expect_error(metadata.strings("ids"), ErrorCode::kCorrupt, "should be an array of strings");
  expect_error(metadata.integers("list", 0, 1), ErrorCode::kCorrupt, "should be an array of integers");
  expect_error(metadata.integers("ids", 0, 3), ErrorCode::kCorrupt, "element 1 is -1");
}

TEST_F(GgufMetadataTest, EntriesKeepTheirOrderAndAreFoundByKey) {
  for (const char* key : {"c", "a", "d", "b"}) writer_.add_string(key, key);
  const GgufMetadata& metadata = reopen();
  ASSERT_EQ(metadata.entries().size(), 4U);
  EXPECT_EQ(metadata.entries()[0].key, "c");
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_EQ(metadata.find(key)->key, key);
  EXPECT_EQ(metadata.find("e"), nullptr);
  EXPECT_EQ(metadata.find(""), nullptr);
}

TEST_F(GgufMetadataTest, FallbacksStandInForMissingKeysOnly) {
  writer_.add_u32("five", 5);
  const GgufMetadata& metadata = reopen();
  EXPECT_EQ(value_or(metadata.integer("none", 0, 9), int64_t{7}), 7);
  EXPECT_EQ(value_or(metadata.integer("five", 0, 9), int64_t{7}), 5);
  expect_error(value_or(metadata.integer("five", 6, 9), int64_t{7}), ErrorCode::kCorrupt, "five");
}

TEST_F(GgufMetadataTest, ValuesPrintShortAndSafe) {
  writer_.add_u32("number", 42);
  writer_.add_bool("flag", false);
  writer_.add_string("text", "two\nlines");
  writer_.add_strings("few", std::vector<std::string>{"a", "b"});
  writer_.add_i32s("many", std::vector<int32_t>(1000, 7));
  writer_.add_u64("big", ~uint64_t{0});
  const GgufMetadata& metadata = reopen();
  const auto print = [&](const char* key) { return format_value(*metadata.find(key)); };
  EXPECT_EQ(print("number"), "42");
  EXPECT_EQ(print("flag"), "false");
  EXPECT_EQ(print("text"), "two\\x0alines");
  EXPECT_EQ(print("few"), "[a, b]");
  EXPECT_EQ(print("many"), "[7, 7, 7, 7, 7, 7, 7, 7, ... 1000 in all]");
  EXPECT_EQ(print("big"), "18446744073709551615");
}

}  // namespace
}  // namespace quire
