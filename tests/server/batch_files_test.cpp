#include "server/batch/batch_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

std::string line_of(std::string_view id) {
  return fmt::format(R"({{"custom_id": "{}", "method": "POST", "url": "/v1/completions", "body": {{}}}})",
                     id) +
         "\n";
}

class BatchFilesTest : public testing::Test {
 protected:
  void write(const std::string& path, std::string_view text) const {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  Expected<BatchInput> input(std::string_view text) const {
    write(in_, text);
    return BatchInput::open(in_, 200);
  }

  const TempFolder folder_;
  const std::string in_ = folder_.file("in.jsonl");
  const std::string out_ = folder_.file("out.jsonl");
};

TEST_F(BatchFilesTest, TheInputIsReadFromItsStart) {
  auto file = input("\n" + line_of("a") + "  \n" + "wrong\n" + std::string(300, 'x') + "\n" + line_of("b"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->num_lines(), 4);
  const auto a = file->next();
  EXPECT_EQ((*a)->number, 2);
  EXPECT_EQ((*a)->request.custom_id, "a");
  const auto wrong = file->next();
  EXPECT_EQ((*wrong)->number, 4);
  EXPECT_TRUE((*wrong)->request.error);
  const auto too_long = file->next();
  EXPECT_EQ((*too_long)->number, 5);
  EXPECT_THAT((*too_long)->request.error->message, HasSubstr("longer than 200 bytes"));
  EXPECT_EQ((*file->next())->request.custom_id, "b");
  EXPECT_FALSE(*file->next());
}

TEST_F(BatchFilesTest, TwoLinesOfOneNameAreRefused) {
  const auto file = input(line_of("a") + line_of("b") + "\n" + line_of("a"));
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("lines 1 and 4"));
  EXPECT_TRUE(input("wrong\nwrong\n"));  // of no name
}

TEST_F(BatchFilesTest, FilesThatAreNone) {
  EXPECT_THAT(BatchInput::open(folder_.file("none"), 10).error().message, HasSubstr("No such file"));
  EXPECT_THAT(BatchInput::open("/", 10).error().message, HasSubstr("no file"));
  const auto from = input(line_of("a"));
  EXPECT_THAT(BatchOutput::open(in_, *from).error().message, HasSubstr("both input and output"));
  EXPECT_THAT(BatchOutput::open("/dev/null", *from).error().message, HasSubstr("no file"));
  EXPECT_FALSE(BatchOutput::open(folder_.file("no/folder"), *from));
}

TEST_F(BatchFilesTest, WholeLinesAreKeptAndATornOneIsCut) {
  const auto from = input(line_of("a") + line_of("b"));
  const std::string whole = answer_line("1", "a", 200, "{}") + failure_line("2", "", 9, Error{});
  const std::string torn = answer_line("3", "b", 200, "{}");
  for (size_t length = 0; length < torn.size(); ++length) {
    write(out_, whole + torn.substr(0, length));
    auto out = BatchOutput::open(out_, *from);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(read(out_), whole);
    EXPECT_TRUE(out->has(batch_key("a", 0)));
    EXPECT_TRUE(out->has(batch_key("", 9)));
    EXPECT_FALSE(out->has(batch_key("b", 0)));
    ASSERT_TRUE(out->append(torn));
    ASSERT_TRUE(out->sync());
    EXPECT_EQ(read(out_), whole + torn);
  }
}

TEST_F(BatchFilesTest, AFileOfSomethingElseIsLeftAlone) {
  const auto from = input(line_of("a"));
  for (const std::string text : {"Dear reader,\nthis is no batch", R"({"model":"a","layers":7})", "secret",
                                 R"({"id":"batch_0"})", R"([{"id":"batch_req_0"}])", " "}) {
    write(out_, text);
    const auto out = BatchOutput::open(out_, *from);
    ASSERT_FALSE(out) << text;
    EXPECT_THAT(out.error().message, HasSubstr("line 1 of"));
    EXPECT_EQ(read(out_), text);
  }
}

TEST_F(BatchFilesTest, AnUnfinishedLineOfSomethingElseIsLeftAlone) {
  const auto from = input(line_of("a"));
  const std::string text = answer_line("1", "a", 200, "{}") + "this is no answer";
  write(out_, text);
  const auto out = BatchOutput::open(out_, *from);
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().message, HasSubstr("line 2 of"));
  EXPECT_EQ(read(out_), text);
}

TEST_F(BatchFilesTest, OneRunAtATime) {
  const auto from = input(line_of("a"));
  {
    const auto first = BatchOutput::open(out_, *from);
    ASSERT_TRUE(first);
    const auto second = BatchOutput::open(out_, *from);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("another run"));
  }
  EXPECT_TRUE(BatchOutput::open(out_, *from));
}

}  // namespace
}  // namespace quire
