#include "server/batch/line_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

struct Seen {
  int64_t number, offset;
  std::string text;
  bool too_long, ended;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> lines_of(const std::string& content, size_t max_bytes) {
  const TempFolder folder;
  const std::string path = folder.file("lines");
  std::ofstream(path, std::ios::binary) << content;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  LineReader reader(file, max_bytes);
  std::vector<Seen> seen;
  while (true) {
    const auto line = reader.next();
    EXPECT_TRUE(line) << line.error().message;
    if (!line || !*line) break;
    seen.push_back(
        {(*line)->number, (*line)->offset, std::string((*line)->text), (*line)->too_long, (*line)->ended});
  }
  ::close(file);
  return seen;
}

TEST(LineReaderTest, NumbersOffsetsAndTheLastLine) {
  EXPECT_EQ(lines_of("", 10), std::vector<Seen>{});
  const std::vector<Seen> expected = {{1, 0, "one", false, true},
                                      {2, 4, "", false, true},
                                      {3, 5, "two", false, true},
                                      {4, 10, "end", false, false}};
  EXPECT_EQ(lines_of("one\n\ntwo\r\nend", 10), expected);
}

TEST(LineReaderTest, LinesThatAreTooLongArePassedOver) {
  for (const size_t length : {11U, 1000U, 300'000U, 600'000U}) {
    const std::string text = "first\n" + std::string(length, 'x') + "\nlast\n";
    const auto after = static_cast<int64_t>(6 + length + 1);
    const std::vector<Seen> expected = {
        {1, 0, "first", false, true}, {2, 6, "", true, true}, {3, after, "last", false, true}};
    EXPECT_EQ(lines_of(text, 10), expected) << length;
    EXPECT_EQ(lines_of(text.substr(0, 6 + length), 10).back(), (Seen{2, 6, "", true, false})) << length;
  }
}

TEST(LineReaderTest, LinesAcrossThePiecesThatAreRead) {
  std::string text;
  std::vector<Seen> expected;
  for (int64_t i = 0; i < 3000; ++i) {
    const std::string line(static_cast<size_t>(i * 37 % 1000), static_cast<char>('a' + i % 26));
    expected.push_back({i + 1, static_cast<int64_t>(text.size()), line, false, true});
    text += line + '\n';
  }
  EXPECT_EQ(lines_of(text, 1000), expected);
}

}  // namespace
}  // namespace quire
