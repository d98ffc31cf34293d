#include "runtime/swap_space.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "runtime/disk_swap_space.h"
#include "tests/base/temp_folder.h"

namespace quire {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr CacheShape kSwapShape{
    .num_layers = 3, .num_kv_heads = 2, .head_dim = 40, .block_size = 16, .dtype = KvDType::kF16};
constexpr int32_t kNumBlocks = 12;
constexpr int32_t kNumSlots = 600;

enum class Medium { kMemory, kAuto, kThread };

class SwapSpaceTest : public testing::TestWithParam<Medium> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(init_log("off"));  // losses are warned of
    auto cache = CacheEngine::create(kSwapShape, kNumBlocks);
    ASSERT_TRUE(cache);
    cache_ = std::move(*cache);
    SwapSpaceOptions options{.num_slots = kNumSlots};
    if (GetParam() != Medium::kMemory) options.dir = folder_.path().string();
    if (GetParam() == Medium::kThread) options.access = FileAccess::kThread;
    auto space = create_swap_space(options, cache_, pool_, clock_);
    ASSERT_TRUE(space) << space.error().message;
    space_ = std::move(*space);
  }

  void fill(BlockId block, int mark) {
    int i = mark * 977;
    for (std::byte& byte : cache_.block(block)) byte = static_cast<std::byte>(i++ % 251);
  }
  bool holds(BlockId block, int mark) {
    int i = mark * 977;
    return std::ranges::all_of(cache_.block(block),
                               [&](std::byte byte) { return byte == static_cast<std::byte>(i++ % 251); });
  }

  void out(const std::vector<SwapOut>& swap_outs) { space_->swap_out(swap_outs, output_); }
  void in(const std::vector<SwapIn>& swap_ins) { space_->swap_in(swap_ins, output_); }
  // Steps without work until so many swap-ins are reported.
  void wait_for(size_t count) {
    while (output_.swapped_in.size() + output_.swap_failures.size() < count) {
      StepOutput step;
      space_->arrive(true, step);
      take(step);
    }
  }
  void take(const StepOutput& step) {
    output_.swapped_in.insert(output_.swapped_in.end(), step.swapped_in.begin(), step.swapped_in.end());
    output_.swap_failures.insert(output_.swap_failures.end(), step.swap_failures.begin(),
                                 step.swap_failures.end());
  }
  // The swap file has no name left but this.
  std::string file_path() const {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
      if (target.starts_with(folder_.path().string()) && target.ends_with("(deleted)")) {
        return entry.path().string();
      }
    }
    return {};
  }

  const TempFolder folder_;
  const SystemClock clock_;
  ThreadPool pool_{2};
  CacheEngine cache_;
  std::unique_ptr<SwapSpace> space_;
  StepOutput output_;
};

// Counts the transfers of the file that does them.
class CountingFile final : public BlockFile {
 public:
  explicit CountingFile(std::unique_ptr<BlockFile> file) : file_(std::move(file)) {}

  void write(int32_t tag, int64_t offset, std::span<const std::byte> bytes) override {
    file_->write(tag, offset, bytes);
  }
  void read(int32_t tag, int64_t offset, std::span<std::byte> bytes) override {
    file_->read(tag, offset, bytes);
  }
  void poll(std::vector<Done>& done, int64_t timeout_ns) override {
    const size_t before = done.size();
    file_->poll(done, timeout_ns);
    num_done += done.size() - before;
  }
  const char* name() const override { return file_->name(); }

  size_t num_done = 0;

 private:
  std::unique_ptr<BlockFile> file_;
};

class SwapFileTest : public SwapSpaceTest {
 protected:
  void SetUp() override {
    SwapSpaceTest::SetUp();
    constexpr int32_t kDepth = 8;
    auto staging = Arena::create(kDepth * kSwapShape.bytes_per_block());
    auto file = create_block_file(folder_.path().string(), kDepth,
                                  GetParam() == Medium::kThread ? FileAccess::kThread : FileAccess::kAuto);
    ASSERT_TRUE(staging && file);
    auto counting = std::make_unique<CountingFile>(std::move(*file));
    file_ = counting.get();
    space_ = std::make_unique<DiskSwapSpace>(kNumSlots, std::move(counting), std::move(*staging), cache_,
                                             pool_, clock_);
  }

  // Until so many transfers are done: what was written then lies in the file, and in no buffer any more.
  void wait_for_file(size_t num_transfers) {
    while (file_->num_done < num_transfers) space_->arrive(false, output_);
  }

  CountingFile* file_ = nullptr;  // the space's own
};

std::string name_of(const testing::TestParamInfo<Medium>& info) {
  return info.param == Medium::kMemory ? "memory" : info.param == Medium::kAuto ? "file" : "thread";
}
INSTANTIATE_TEST_SUITE_P(Media, SwapSpaceTest,
                         testing::Values(Medium::kMemory, Medium::kAuto, Medium::kThread), name_of);
INSTANTIATE_TEST_SUITE_P(Files, SwapFileTest, testing::Values(Medium::kAuto, Medium::kThread), name_of);

TEST_P(SwapSpaceTest, WhatComesBackIsWhatWent) {
  // Many times the staging buffers, so that they are used in turn.
  for (int round = 0; round < kNumSlots / kNumBlocks; ++round) {
    std::vector<SwapOut> outs;
    for (BlockId block = 0; block < kNumBlocks; ++block) {
      fill(block, round * kNumBlocks + block);
      outs.push_back({.block = block, .swap_slot = (round * kNumBlocks + block) * 7 % kNumSlots});
    }
    out(outs);
    for (BlockId block = 0; block < kNumBlocks; ++block) fill(block, -1);  // at once
  }
  for (int mark = 0; mark < kNumSlots; mark += kNumBlocks) {
    std::vector<SwapIn> ins;
    for (BlockId block = 0; block < kNumBlocks; ++block) {
      ins.push_back({.swap_slot = (mark + block) * 7 % kNumSlots, .block = kNumBlocks - 1 - block});
    }
    output_.clear();
    in(ins);
    wait_for(ins.size());
    EXPECT_THAT(output_.swapped_in, SizeIs(ins.size()));
    for (BlockId block = 0; block < kNumBlocks; ++block) {
      ASSERT_TRUE(holds(kNumBlocks - 1 - block, mark + block)) << mark << " " << block;
    }
  }
}

TEST_P(SwapSpaceTest, ASlotHoldsWhatWasWrittenLast) {
  for (int mark = 1; mark <= 20; ++mark) {
    fill(3, mark);
    out({{.block = 3, .swap_slot = 5}});
  }
  fill(3, -1);
  in({{.swap_slot = 5, .block = 8}});
  wait_for(1);
  EXPECT_THAT(output_.swapped_in, testing::ElementsAre(5));
  EXPECT_TRUE(holds(8, 20));
}

TEST_P(SwapFileTest, ACancelledSwapInTouchesNoBlock) {
  fill(0, 1);
  fill(1, 2);
  out({{.block = 0, .swap_slot = 0}, {.block = 1, .swap_slot = 1}});
  wait_for_file(2);
  in({{.swap_slot = 0, .block = 5}, {.swap_slot = 1, .block = 6}});
  const std::vector<SwapSlotId> cancelled{0};
  space_->cancel(cancelled);
  fill(5, 9);
  wait_for_file(4);
  EXPECT_THAT(output_.swapped_in, testing::ElementsAre(1));
  EXPECT_TRUE(holds(5, 9));
  EXPECT_TRUE(holds(6, 2));
  fill(0, 3);
  out({{.block = 0, .swap_slot = 0}});
  in({{.swap_slot = 0, .block = 5}});
  wait_for(2);
  EXPECT_TRUE(holds(5, 3));
}

TEST_P(SwapFileTest, AByteThatChangedOnTheDiskIsNoticed) {
  for (BlockId block = 0; block < 3; ++block) fill(block, block);
  out({{.block = 0, .swap_slot = 0}, {.block = 1, .swap_slot = 1}, {.block = 2, .swap_slot = 2}});
  wait_for_file(3);
  const std::string path = file_path();
  ASSERT_NE(path, "");
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto at = static_cast<off_t>(kSwapShape.bytes_per_block() + 1000);
  char byte = 0;
  ASSERT_EQ(pread(fd, &byte, 1, at), 1);
  byte = static_cast<char>(byte ^ 4);
  ASSERT_EQ(pwrite(fd, &byte, 1, at), 1);
  in({{.swap_slot = 0, .block = 4}, {.swap_slot = 1, .block = 5}, {.swap_slot = 2, .block = 6}});
  wait_for(3);
  EXPECT_THAT(output_.swapped_in, testing::UnorderedElementsAre(0, 2));
  EXPECT_THAT(output_.swap_failures, testing::ElementsAre(1));

  output_.clear();
  ASSERT_EQ(ftruncate(fd, kSwapShape.bytes_per_block() * 2 + 100), 0);
  in({{.swap_slot = 2, .block = 6}, {.swap_slot = 0, .block = 7}});
  wait_for(2);
  EXPECT_THAT(output_.swap_failures, testing::ElementsAre(2)) << "the file is shorter now";
  EXPECT_TRUE(holds(7, 0));
  close(fd);
}

TEST_P(SwapFileTest, AFullDiskLosesBlocksAndIsUsedAgainWhenItHasRoom) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = static_cast<rlim_t>(kSwapShape.bytes_per_block() * 2);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::vector<SwapOut> outs;
  for (BlockId block = 0; block < 4; ++block) {
    fill(block, block);
    outs.push_back({.block = block, .swap_slot = block});
  }
  out(outs);
  wait_for_file(4);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_THAT(output_.swap_failures, testing::UnorderedElementsAre(2, 3));

  output_.clear();
  in({{.swap_slot = 0, .block = 8}, {.swap_slot = 1, .block = 9}, {.swap_slot = 2, .block = 10}});
  wait_for(3);
  EXPECT_THAT(output_.swapped_in, testing::UnorderedElementsAre(0, 1));
  EXPECT_THAT(output_.swap_failures, testing::ElementsAre(2)) << "each swap-in is answered";
  EXPECT_TRUE(holds(9, 1));
  output_.clear();
  out({{.block = 3, .swap_slot = 3}});
  in({{.swap_slot = 3, .block = 11}});
  wait_for(1);
  EXPECT_TRUE(holds(11, 3));
}

TEST_P(SwapFileTest, TheFileHasNoName) {
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_NE(file_path(), "");
}

TEST(SwapSpace, AFolderThatIsNotThereIsNamed) {
  auto cache = CacheEngine::create(kSwapShape, 1);
  ASSERT_TRUE(cache);
  ThreadPool pool(1);
  const SystemClock clock;
  const auto space =
      create_swap_space({.num_slots = 1, .dir = "/proc/no-such-folder"}, *cache, pool, clock);
  ASSERT_FALSE(space);
  EXPECT_EQ(space.error().param, "swap_dir");
  EXPECT_THAT(space.error().message, HasSubstr("/proc/no-such-folder"));
}

// A disk that answers only when told to.
class StuckFile final : public BlockFile {
 public:
  void write(int32_t tag, int64_t, std::span<const std::byte>) override { stuck.push_back({tag, 0}); }
  void read(int32_t tag, int64_t, std::span<std::byte>) override { stuck.push_back({tag, 0}); }
  void poll(std::vector<Done>& done, int64_t timeout_ns) override {
    clock.advance_ns(timeout_ns);
    if (!flows) return;
    done.insert(done.end(), stuck.begin(), stuck.end());
    stuck.clear();
  }
  const char* name() const override { return "stuck"; }

  std::vector<Done> stuck;
  bool flows = false;
  ManualClock clock;
};

TEST(SwapSpace, ASlowDiskHoldsAStepUpForABoundedTime) {
  ASSERT_TRUE(init_log("off"));
  auto cache = CacheEngine::create(kSwapShape, 8);
  auto staging = Arena::create(2 * kSwapShape.bytes_per_block());
  ASSERT_TRUE(cache && staging);
  ThreadPool pool(1);
  auto owned = std::make_unique<StuckFile>();
  StuckFile& file = *owned;
  DiskSwapSpace space(8, std::move(owned), std::move(*staging), *cache, pool, file.clock);
  std::vector<SwapOut> outs;
  for (int32_t i = 0; i < 5; ++i) outs.push_back({.block = i, .swap_slot = i});
  StepOutput output;
  space.swap_out(outs, output);
  EXPECT_THAT(output.swap_failures, testing::ElementsAre(2, 3, 4)) << "two buffers";
  EXPECT_LE(file.clock.now_ns(), 1'000'000'000);
  EXPECT_EQ(output.swap_times.out_ns, file.clock.now_ns());

  output.clear();
  const std::vector<SwapIn> ins{{.swap_slot = 1, .block = 6}, {.swap_slot = 2, .block = 7}};
  space.swap_in(ins, output);
  space.arrive(true, output);
  EXPECT_THAT(output.swapped_in, testing::ElementsAre(1)) << "it is in its buffer still";
  EXPECT_THAT(output.swap_failures, testing::ElementsAre(2));

  output.clear();
  file.flows = true;
  space.arrive(true, output);
  file.flows = false;
  const std::vector<SwapIn> again{{.swap_slot = 0, .block = 6}};
  space.swap_in(again, output);
  const int64_t before_ns = file.clock.now_ns();
  space.arrive(true, output);
  EXPECT_THAT(output.swapped_in, IsEmpty());
  EXPECT_GT(file.clock.now_ns(), before_ns) << "a step without work waits";
  const int64_t waited_ns = file.clock.now_ns();
  space.arrive(false, output);
  EXPECT_EQ(file.clock.now_ns(), waited_ns) << "one with work does not";
}

}  // namespace
}  // namespace quire
