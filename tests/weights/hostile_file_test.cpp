// Files that were damaged, or made to do damage. Each must give an error or a file that is consistent in
// itself; the sanitizers watch that nothing is read that is not there.
#include <array>
#include <cstring>

#include "base/rng.h"
#include "base/thread_pool.h"
#include "tests/base/test_effort.h"
#include "tests/weights/gguf_fixture.h"
#include "weights/gguf_config.h"
#include "weights/quantize.h"
#include "weights/random_model.h"

namespace quire {
namespace {

constexpr std::array<uint64_t, 12> kAbsurd{0,
                                           1,
                                           0x7fffffff,
                                           0x80000000,
                                           0xffffffff,
                                           0x100000000,
                                           uint64_t{1} << 60,
                                           uint64_t{1} << 61,
                                           uint64_t{1} << 62,
                                           uint64_t{1} << 63,
                                           ~uint64_t{0} - 31,
                                           ~uint64_t{0}};

// What every opened file promises, whatever its bytes were.
void check_consistent(const GgufFile& file) {
  uint64_t touched = 0;
  for (const GgufTensor& tensor : file.tensors()) {
    ASSERT_LE(tensor.bytes.size(), file.file_bytes());
    ASSERT_LE(tensor.offset, file.file_bytes() - tensor.bytes.size());
    ASSERT_EQ(static_cast<int64_t>(tensor.bytes.size()),
              row_bytes(tensor.dtype, tensor.cols()) * tensor.rows());
    ASSERT_EQ(file.find_tensor(tensor.name), &tensor);
    touched += static_cast<uint64_t>(tensor.bytes.front()) + static_cast<uint64_t>(tensor.bytes.back());
  }
  for (const auto& entry : file.metadata().entries()) {
    ASSERT_EQ(file.metadata().find(entry.key), &entry);
    touched += format_value(entry).size();
  }
  (void)touched;
}

// Opens the file and reads all that there is. True if everything went well.
bool survives(const std::string& path) {
  const auto file = GgufFile::open(path);
  if (!file) {
    EXPECT_FALSE(file.error().message.empty());
    EXPECT_TRUE(file.error().code == ErrorCode::kCorrupt || file.error().code == ErrorCode::kUnsupported)
        << file.error().message;
    return false;
  }
  check_consistent(*file);
  const auto config = read_model_config(*file);
  const auto spec = read_tokenizer_spec(*file);
  if (config) {
    EXPECT_EQ(config->kv_groups.at(0).layers.size(), static_cast<size_t>(config->num_layers));
    EXPECT_EQ(config->num_heads % config->num_kv_heads, 0);
  }
  if (spec) {
    EXPECT_EQ(spec->types.size(), spec->tokens.size());
  }
  return config && spec;
}

class HostileFile : public testing::Test {
 protected:
  void SetUp() override {
    ThreadPool pool(1);
    RandomModelSpec spec;
    spec.architecture = "test";
    spec.layers = 1;
    spec.hidden = spec.ff = 32;
    spec.heads = spec.kv_heads = 2;
    spec.vocab = kRandomModelMinVocab;
    const auto written = write_random_model(spec, path_, pool);
    ASSERT_TRUE(written) << written.error().message;
    bytes_ = read_bytes(path_);
    const auto file = GgufFile::open(path_);
    ASSERT_TRUE(file);
    data_offset_ = file->tensors()[0].offset;
    ASSERT_TRUE(survives(path_));
  }

  TempFolder folder_;
  std::string path_ = folder_.file("model.gguf");
  std::string bytes_;
  size_t data_offset_ = 0;
};

TEST_F(HostileFile, CutAtEveryByte) {
  for (size_t size = bytes_.size() - 1; size > 0; --size) {
    std::filesystem::resize_file(path_, size);
    const bool whole = survives(path_);
    ASSERT_FALSE(whole && size < data_offset_) << "cut at " << size << " of " << bytes_.size();
    if (!long_run() && size > data_offset_ + 100) size -= 16;
  }
}

// In shares that end in time on a slow machine, too.
class FlippedBits : public HostileFile, public testing::WithParamInterface<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(HostileFile, FlippedBits, testing::Range<uint64_t>(0, 8));

TEST_P(FlippedBits, AreSurvived) {
  const int rounds = long_run() ? 25'000 : 500;
  Rng rng(20240521 + GetParam());
  int opened = 0;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    std::string damaged = bytes_;
    const uint64_t flips = 1 + rng.below(4);
    for (uint64_t i = 0; i < flips; ++i) {
      const uint64_t bit = rng.below(8 * data_offset_);
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    }
    write_bytes(path_, damaged);
    if (survives(path_)) ++opened;
  }
  EXPECT_GT(opened, rounds / 20);  // flips in token spellings are harmless, and must not be refused
  EXPECT_LT(opened, rounds);
}

TEST_F(HostileFile, AbsurdNumbersEverywhere) {
  Rng rng(7);
  const size_t stride = long_run() ? 1 : 37;
  for (size_t at = 4; at + 8 <= data_offset_ && !HasFailure(); at += stride) {
    std::string damaged = bytes_;
    const uint64_t value = kAbsurd[rng.below(kAbsurd.size())];
    std::memcpy(&damaged[at], &value, rng.below(2) == 0 ? 4 : 8);
    write_bytes(path_, damaged);
    survives(path_);
  }
}

TEST_F(HostileFile, RandomBytesAfterAGoodHeader) {
  Rng rng(11);
  for (int round = 0; round < 500 && !HasFailure(); ++round) {
    RawGguf raw;
    raw.header(rng.below(4), rng.below(4));
    for (int i = 0; i < 300; ++i)
      raw.number(static_cast<uint8_t>(rng.below(8) == 0 ? rng.below(256) : rng.below(3)));
    write_bytes(path_, raw.bytes);
    survives(path_);
  }
}

TEST(HostileGguf, AbsurdCounts) {
  const TempFolder folder;
  for (const uint64_t count : kAbsurd) {
    if (count == 0) continue;
    expect_error(RawGguf().header(count, 0).open(folder), ErrorCode::kCorrupt, "tensors, too many");
    expect_error(RawGguf().header(0, count).open(folder), ErrorCode::kCorrupt, "keys, too many");
    expect_error(RawGguf().header(count, count).open(folder), ErrorCode::kCorrupt, "too many");
  }
}

TEST(HostileGguf, KeysWithoutANameOrWithAnEndlessOne) {
  const TempFolder folder;
  expect_error(RawGguf().header(0, 1).key("", GgufType::kU32).number(1).open(folder), ErrorCode::kCorrupt,
               "a key must have");
  const std::string name(kMaxGgufNameBytes + 1, 'k');
  expect_error(RawGguf().header(0, 1).key(name, GgufType::kU32).number(1).open(folder), ErrorCode::kCorrupt,
               "must have 1 to 1024 bytes");
  expect_error(RawGguf().header(0, 1).number(~uint64_t{0}).data(64).open(folder), ErrorCode::kCorrupt,
               "a key needs");
}

TEST(HostileGguf, DuplicateKeysAndNames) {
  const TempFolder folder;
  RawGguf keys;
  keys.header(0, 3).key("a", GgufType::kU8).number(uint8_t{1}).key("b", GgufType::kU8).number(uint8_t{1});
  keys.key("a", GgufType::kU8).number(uint8_t{1});
  expect_error(keys.open(folder), ErrorCode::kCorrupt, "key 'a' comes twice");
  RawGguf tensors;
  tensors.header(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64);
  expect_error(tensors.open(folder), ErrorCode::kCorrupt, "tensor 't' comes twice");
}

TEST(HostileGguf, AlignmentsThatAreNone) {
  const TempFolder folder;
  for (const uint32_t alignment : {0U, 1U, 3U, 4U, 24U, 1U << 17, 1U << 31, ~0U}) {
    RawGguf raw;
    raw.header(1, 1)
        .key("general.alignment", GgufType::kU32)
        .number(alignment)
        .tensor("t", {8}, 0, 0)
        .data(64);
    expect_error(raw.open(folder), ErrorCode::kCorrupt, "'general.alignment' must be a power of two");
  }
  RawGguf text;
  text.header(0, 1).key("general.alignment", GgufType::kString).string("32");
  expect_error(text.open(folder), ErrorCode::kCorrupt, "should be an integer");
}

TEST(HostileGguf, DimensionsThatOverflow) {
  const TempFolder folder;
  const uint64_t big = uint64_t{1} << 32;
  const auto open = [&](std::initializer_list<uint64_t> dims, uint32_t type) {
    return RawGguf().header(1, 0).tensor("t", dims, type, 0).data(64).open(folder);
  };
  expect_error(open({big, big}, 0), ErrorCode::kCorrupt, "dimensions overflows");
  expect_error(open({big, big / 2}, 0), ErrorCode::kCorrupt, "dimensions overflows");
  expect_error(open({~uint64_t{0}}, 0), ErrorCode::kCorrupt, "dimensions overflows");
  expect_error(open({big, big / 4}, 0), ErrorCode::kCorrupt, "size overflows");
  expect_error(open({uint64_t{1} << 61}, 0), ErrorCode::kCorrupt, "does not lie in the file");
  expect_error(open({big, 1, 1, big / 8}, 8), ErrorCode::kCorrupt, "does not lie in the file");
  expect_error(open({8, 0}, 0), ErrorCode::kCorrupt, "a dimension of 0");
  expect_error(open({33}, 2), ErrorCode::kCorrupt, "33 columns, not a multiple of 32");
  expect_error(open({}, 0), ErrorCode::kCorrupt, "must have 1 to 4 dimensions, but has 0");
  expect_error(open({1, 1, 1, 1, 1}, 0), ErrorCode::kCorrupt, "but has 5");
}

TEST(HostileGguf, TensorsOutsideTheFileOrOnEachOther) {
  const TempFolder folder;
  const auto open = [&](uint64_t offset) {
    return RawGguf().header(2, 0).tensor("a", {16}, 0, 0).tensor("b", {8}, 0, offset).data(96).open(folder);
  };
  EXPECT_TRUE(open(64));
  expect_error(open(32), ErrorCode::kCorrupt, "tensors 'a' and 'b' overlap");
  expect_error(open(96), ErrorCode::kCorrupt,
               "tensor 'b' (32 bytes at offset 96) does not lie in the file's 96 bytes");
  expect_error(open(65), ErrorCode::kCorrupt, "not aligned to 32");
  expect_error(open(~uint64_t{0} - 31), ErrorCode::kCorrupt, "does not lie");
  expect_error(open(uint64_t{1} << 63), ErrorCode::kCorrupt, "does not lie");
}

TEST(HostileGguf, MessagesDoNotRepeatControlCharacters) {
  const TempFolder folder;
  const auto file = RawGguf().header(1, 0).tensor("\x1b]0;owned\x07", {8}, 99, 0).data(32).open(folder);
  expect_error(file, ErrorCode::kUnsupported, "\\x1b]0;owned\\x07");
}

}  // namespace
}  // namespace quire
