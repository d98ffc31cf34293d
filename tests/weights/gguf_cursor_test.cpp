#include "weights/gguf_cursor.h"

#include "tests/weights/gguf_fixture.h"

namespace quire {
namespace {

GgufCursor cursor_over(const RawGguf& raw) { return GgufCursor(std::as_bytes(std::span(raw.bytes)), 1000); }

TEST(GgufCursor, ReadsNumbersAndStringsInTurn) {
  RawGguf raw;
  raw.number(uint32_t{7}).string("ab").number(-2.5).number(uint8_t{9});
  GgufCursor cursor = cursor_over(raw);
  EXPECT_EQ(cursor.read<uint32_t>(), 7U);
  EXPECT_EQ(cursor.read_string("a string"), "ab");
  EXPECT_EQ(cursor.offset(), 1014U);
  EXPECT_EQ(cursor.read<double>(), -2.5);
  EXPECT_EQ(cursor.remaining(), 1U);
  EXPECT_EQ(cursor.read<uint8_t>(), 9U);
  EXPECT_TRUE(cursor.ok());
}

TEST(GgufCursor, TheFirstFailureSticks) {
  RawGguf raw;
  raw.number(uint16_t{1});
  GgufCursor cursor = cursor_over(raw);
  EXPECT_EQ(cursor.read<uint64_t>(), 0U);
  ASSERT_FALSE(cursor.ok());
  const std::string message = cursor.error().error().message;
  EXPECT_EQ(message, "at byte 1000: a number needs 8 bytes, but the file has only 2 more");
  EXPECT_EQ(cursor.read<uint16_t>(), 0U);  // would fit, but the cursor has failed
  EXPECT_EQ(cursor.read_string("a key"), "");
  cursor.set_error(ErrorCode::kInternal, "later");
  EXPECT_EQ(cursor.error().error().message, message);
}

TEST(GgufCursor, StringsLongerThanTheFile) {
  for (const uint64_t length :
       {uint64_t{3}, uint64_t{1} << 31, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    RawGguf raw;
    raw.number(length);
    raw.bytes += "ab";
    GgufCursor cursor = cursor_over(raw);
    EXPECT_EQ(cursor.read_string("a string"), "");
    EXPECT_FALSE(cursor.ok()) << length;
  }
}

TEST(GgufCursor, ArraysLongerThanTheFile) {
  for (uint32_t type = 0; type < 14; ++type) {
    for (const uint64_t count : {uint64_t{17}, uint64_t{1} << 61, uint64_t{1} << 63, ~uint64_t{0}}) {
      RawGguf raw;
      raw.number(type).number(count).number(uint64_t{0}).number(uint64_t{0});
      GgufCursor cursor = cursor_over(raw);
      cursor.skip_value(GgufType::kArray);
      EXPECT_FALSE(cursor.ok()) << type << " x " << count;
    }
  }
}

TEST(GgufCursor, ValuesKeepTheirBytes) {
  RawGguf raw;
  raw.number(static_cast<uint32_t>(GgufType::kU16)).number(uint64_t{3});
  for (const uint16_t value : {1, 2, 3}) raw.number(value);
  raw.string("text");
  GgufCursor cursor = cursor_over(raw);
  EXPECT_EQ(cursor.skip_value(GgufType::kArray).size(), 6U);
  EXPECT_EQ(cursor.skip_value(GgufType::kString).size(), 4U);
  EXPECT_EQ(cursor.remaining(), 0U);
  EXPECT_TRUE(cursor.ok());
}

TEST(GgufCursor, ABoolIsZeroOrOne) {
  RawGguf raw;
  raw.number(uint8_t{1}).number(uint8_t{0}).number(uint8_t{2});
  GgufCursor cursor = cursor_over(raw);
  cursor.skip_value(GgufType::kBool);
  cursor.skip_value(GgufType::kBool);
  EXPECT_TRUE(cursor.ok());
  cursor.skip_value(GgufType::kBool);
  ASSERT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.error().error().message, "at byte 1002: a bool is neither 0 nor 1");
}

// `depth` arrays inside each other, the innermost empty.
RawGguf nested_arrays(int depth) {
  RawGguf raw;
  for (int i = 0; i + 1 < depth; ++i)
    raw.number(static_cast<uint32_t>(GgufType::kArray)).number(uint64_t{1});
  raw.number(static_cast<uint32_t>(GgufType::kU8)).number(uint64_t{0});
  return raw;
}

TEST(GgufCursor, NestingOfArraysIsBounded) {
  const RawGguf allowed = nested_arrays(kMaxGgufArrayDepth);
  GgufCursor cursor = cursor_over(allowed);
  cursor.skip_value(GgufType::kArray);
  EXPECT_TRUE(cursor.ok());
  for (const int depth : {kMaxGgufArrayDepth + 1, 100'000}) {
    const RawGguf raw = nested_arrays(depth);
    GgufCursor deep = cursor_over(raw);
    deep.skip_value(GgufType::kArray);
    ASSERT_FALSE(deep.ok());
    EXPECT_EQ(deep.error().error().code, ErrorCode::kUnsupported);
  }
}

}  // namespace
}  // namespace quire
