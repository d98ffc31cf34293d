#include "weights/mapped_file.h"

#include <sys/stat.h>

#include <cstring>
#include <filesystem>

#include "tests/weights/gguf_fixture.h"

namespace quire {
namespace {

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFile, HoldsTheBytesOfTheFile) {
  const TempFolder folder;
  std::string content(70'000, 'x');
  content[69'999] = 'y';
  write_bytes(folder.file("a"), content);
  const auto file = MappedFile::open(folder.file("a"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(text_of(*file), content);
}

TEST(MappedFile, MovesWithItsAddresses) {
  const TempFolder folder;
  write_bytes(folder.file("a"), "first");
  write_bytes(folder.file("b"), "second");
  auto a = MappedFile::open(folder.file("a"));
  auto b = MappedFile::open(folder.file("b"));
  ASSERT_TRUE(a && b);
  const std::byte* address = b->bytes().data();
  MappedFile c = std::move(*b);
  EXPECT_EQ(c.bytes().data(), address);
  EXPECT_TRUE(b->bytes().empty());
  *a = std::move(c);
  EXPECT_EQ(text_of(*a), "second");
}

TEST(MappedFile, OutlivesTheFilesName) {
  const TempFolder folder;
  write_bytes(folder.file("a"), "kept");
  const auto file = MappedFile::open(folder.file("a"));
  std::filesystem::remove(folder.file("a"));
  ASSERT_TRUE(file);
  EXPECT_EQ(text_of(*file), "kept");
}

TEST(MappedFile, ReleasedPagesComeBackWhenRead) {
  const TempFolder folder;
  std::string content(100'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  write_bytes(folder.file("a"), content);
  const auto file = MappedFile::open(folder.file("a"));
  ASSERT_TRUE(file);
  file->release(file->bytes().subspan(10, 99'000));
  file->release(file->bytes().subspan(5, 3));  // no whole page
  file->release({});
  file->release(file->bytes());
  EXPECT_EQ(text_of(*file), content);
}

TEST(MappedFile, SaysWhyAFileCannotBeOpened) {
  const TempFolder folder;
  expect_error(MappedFile::open(folder.file("none")), ErrorCode::kNotFound, "none': No such file");
  write_bytes(folder.file("file"), "x");
  expect_error(MappedFile::open(folder.file("file/below")), ErrorCode::kNotFound, "Not a directory");
  expect_error(MappedFile::open(folder.file("")), ErrorCode::kInvalidArgument, "is a directory");
  expect_error(MappedFile::open(""), ErrorCode::kNotFound, "cannot open ''");
  write_bytes(folder.file("empty"), "");
  expect_error(MappedFile::open(folder.file("empty")), ErrorCode::kCorrupt, "is empty");
  std::filesystem::create_symlink(folder.file("loop"), folder.file("loop"));
  expect_error(MappedFile::open(folder.file("loop")), ErrorCode::kIo, "cannot open");
  expect_error(MappedFile::open("/dev/null"), ErrorCode::kInvalidArgument, "not a regular file");
}

TEST(MappedFile, DoesNotWaitForAPipesWriter) {
  const TempFolder folder;
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  expect_error(MappedFile::open(folder.file("pipe")), ErrorCode::kInvalidArgument, "not a regular file");
}

TEST(MappedFile, RefusesAFileItMayNotRead) {
  if (geteuid() == 0) {  // root may read everything: there is no such file
    SUCCEED();
    return;
  }
  const TempFolder folder;
  write_bytes(folder.file("secret"), "x");
  ASSERT_EQ(chmod(folder.file("secret").c_str(), 0), 0);
  expect_error(MappedFile::open(folder.file("secret")), ErrorCode::kIo, "Permission denied");
}

}  // namespace
}  // namespace quire
