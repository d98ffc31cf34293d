#include "base/byte_size.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <array>

namespace quire {
namespace {

TEST(ByteSize, ReadsWhatPeopleWrite) {
  constexpr std::array<std::pair<const char*, int64_t>, 18> kCases{{{"0", 0},
                                                                    {"1048576", 1048576},
                                                                    {"17B", 17},
                                                                    {"17 b", 17},
                                                                    {"1KiB", 1024},
                                                                    {"2 kib", 2048},
                                                                    {"3K", 3072},
                                                                    {"512MiB", 512LL << 20},
                                                                    {"512mib", 512LL << 20},
                                                                    {"512M", 512LL << 20},
                                                                    {"4 GiB", 4LL << 30},
                                                                    {"4gib", 4LL << 30},
                                                                    {"4G", 4LL << 30},
                                                                    {"1TiB", 1LL << 40},
                                                                    {"2tib", 2LL << 40},
                                                                    {"2T", 2LL << 40},
                                                                    {"1.5GiB", 3LL << 29},
                                                                    {"0.5K", 512}}};
  for (const auto& [text, bytes] : kCases) EXPECT_EQ(parse_byte_size(text), bytes) << text;
}

TEST(ByteSize, RefusesTheRest) {
  for (const char* text :
       {"",     " ",     "GiB", "-1",     "-1GiB",  "1.5",   "1.5B",       "4 GB",
        "4Gib", "4GiB2", "nan", "inf",    "infGiB", "1e400", "4194304TiB", "9223372036854775807",
        "0x10", "+5",    " 5",  "1,5GiB", "5\n"}) {
    const auto size = parse_byte_size(text);
    ASSERT_FALSE(size) << text << " became " << *size;
    EXPECT_EQ(size.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(size.error().message.find(text), std::string::npos);
  }
}

TEST(ByteSize, FormatsWithTheLargestUnit) {
  EXPECT_EQ(format_byte_size(0), "0 B");
  EXPECT_EQ(format_byte_size(1023), "1023 B");
  EXPECT_EQ(format_byte_size(1024), "1.0 KiB");
  EXPECT_EQ(format_byte_size(98'362'432), "93.8 MiB");
  EXPECT_EQ(format_byte_size(5LL << 30), "5.0 GiB");
  EXPECT_EQ(format_byte_size(3LL << 50), "3072.0 TiB");
}

RC_GTEST_PROP(ByteSize, BareNumbersAreExact, ()) {
  const auto bytes = *rc::gen::inRange<int64_t>(0, int64_t{1} << 53);
  RC_ASSERT(parse_byte_size(fmt::format("{}", bytes)).value() == bytes);
}

}  // namespace
}  // namespace quire
