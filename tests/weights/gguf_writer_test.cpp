#include "weights/gguf_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include <rapidcheck/gtest.h>  // needs gtest before it

#include "base/rng.h"
#include "tests/weights/gguf_fixture.h"

namespace quire {
namespace {

struct Declared {
  DType dtype;
  int64_t cols, rows;
};

std::byte pattern(size_t tensor, size_t at) {
  return static_cast<std::byte>(mix64(tensor * 1'000'003 + at));
}

// Fills each tensor with a pattern of its own, whatever the chunks are.
Expected<> write_pattern(const GgufWriter& writer, const std::string& path,
                         const std::vector<Declared>& tensors) {
  return writer.write(
      path, [&](size_t tensor, int64_t begin, int64_t end, std::span<std::byte> out) -> Expected<> {
        const auto bytes = static_cast<size_t>(row_bytes(tensors[tensor].dtype, tensors[tensor].cols));
        EXPECT_EQ(out.size(), static_cast<size_t>(end - begin) * bytes);
        for (size_t i = 0; i < out.size(); ++i)
          out[i] = pattern(tensor, static_cast<size_t>(begin) * bytes + i);
        return {};
      });
}

void expect_pattern(const GgufFile& file, const std::vector<Declared>& tensors) {
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const GgufTensor& tensor = file.tensors()[i];
    EXPECT_EQ(tensor.dtype, tensors[i].dtype);
    EXPECT_EQ(tensor.cols(), tensors[i].cols);
    EXPECT_EQ(tensor.rows(), std::max<int64_t>(tensors[i].rows, 1));
    EXPECT_EQ(tensor.num_dims, tensors[i].rows == 0 ? 1U : 2U);
    for (size_t at = 0; at < tensor.bytes.size(); ++at)
      ASSERT_EQ(tensor.bytes[at], pattern(i, at)) << i << ", " << at;
  }
}

RC_GTEST_PROP(GgufWriter, ReadsBackWhatItWrote, ()) {
  const TempFolder folder;
  const int shift = *rc::gen::inRange(3, 13);
  GgufWriter writer(uint64_t{1} << shift);
  const auto texts = *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
  const auto numbers = *rc::gen::arbitrary<std::vector<int32_t>>();
  writer.add_strings("texts", texts);
  writer.add_i32s("numbers", numbers);
  writer.add_u64("count", numbers.size());
  std::vector<Declared> tensors;
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    const auto dtype = static_cast<DType>(*rc::gen::inRange(0, kNumDTypes));
    tensors.push_back({dtype, block_elements(dtype) * *rc::gen::inRange(1, 5), *rc::gen::inRange(0, 9)});
    writer.add_tensor(fmt::format("tensor {}", i), dtype, tensors.back().cols, tensors.back().rows);
  }
  RC_ASSERT(write_pattern(writer, folder.file("a.gguf"), tensors).has_value());

  const auto file = GgufFile::open(folder.file("a.gguf"));
  RC_ASSERT(file.has_value());
  RC_ASSERT(file->metadata().strings("texts").value() == texts);
  RC_ASSERT(file->metadata().integers("numbers", INT32_MIN, INT32_MAX).value() ==
            std::vector<int64_t>(numbers.begin(), numbers.end()));
  expect_pattern(*file, tensors);
}

TEST(GgufWriter, BigTensorsComeInChunks) {
  const TempFolder folder;
  GgufWriter writer;
  const std::vector<Declared> tensors{{DType::kF32, 1000, 2500}, {DType::kQ4_0, 32, 1}};  // 10 MB
  for (const Declared& t : tensors) writer.add_tensor(fmt::format("{}", t.cols), t.dtype, t.cols, t.rows);
  int calls = 0;
  int64_t next = 0;
  const auto written =
      writer.write(folder.file("a"),
                   [&](size_t tensor, int64_t begin, int64_t end, std::span<std::byte> out) -> Expected<> {
                     ++calls;
                     if (tensor == 0) {
                       EXPECT_EQ(begin, next);
                       next = end;
                       EXPECT_LE(out.size(), 4U << 20);
                     }
                     std::ranges::fill(out, std::byte{5});
                     return {};
                   });
  ASSERT_TRUE(written);
  EXPECT_EQ(next, 2500);
  EXPECT_EQ(calls, 4);
}

TEST(GgufWriter, CopiesKeysOfAnotherFile) {
  const TempFolder folder;
  const auto no_tensors = [](size_t, int64_t, int64_t, std::span<std::byte>) -> Expected<> { return {}; };
  GgufWriter writer;
  writer.add_string("text", "abc");
  writer.add_f32("number", 1.5F);
  writer.add_strings("list", std::vector<std::string>{"x", "", "z"});
  writer.add_bool("flag", true);
  ASSERT_TRUE(writer.write(folder.file("a"), no_tensors));
  const auto original = GgufFile::open(folder.file("a"));
  ASSERT_TRUE(original);
  GgufWriter copier;
  for (const auto& entry : original->metadata().entries()) {
    copier.add_raw(entry.key, entry.type, entry.element, entry.count, entry.bytes);
  }
  ASSERT_TRUE(copier.write(folder.file("b"), no_tensors));
  EXPECT_EQ(read_bytes(folder.file("a")), read_bytes(folder.file("b")));
}

TEST(GgufWriter, LeavesNothingBehindWhenTheContentFails) {
  const TempFolder folder;
  write_bytes(folder.file("a"), "what was there before");
  GgufWriter writer;
  writer.add_tensor("t", DType::kF32, 8, 8);
  const auto written =
      writer.write(folder.file("a"), [](size_t, int64_t, int64_t, std::span<std::byte>) -> Expected<> {
        return fail(ErrorCode::kCancelled, "stopped");
      });
  expect_error(written, ErrorCode::kCancelled, "stopped");
  EXPECT_EQ(read_bytes(folder.file("a")), "what was there before");
  EXPECT_FALSE(std::filesystem::exists(folder.file("a.partial")));
}

TEST(GgufWriter, SaysWhereItCannotWrite) {
  const TempFolder folder;
  const auto no_tensors = [](size_t, int64_t, int64_t, std::span<std::byte>) -> Expected<> { return {}; };
  expect_error(GgufWriter().write(folder.file("none/a"), no_tensors), ErrorCode::kIo, "none/a");
  if (std::filesystem::exists("/dev/full")) {
    std::filesystem::create_symlink("/dev/full", folder.file("full.partial"));
    expect_error(GgufWriter().write(folder.file("full"), no_tensors), ErrorCode::kIo, "No space left");
  }
}

}  // namespace
}  // namespace quire
