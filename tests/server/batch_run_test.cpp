#include "server/batch/batch_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/base/temp_folder.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

constexpr int kLines = 6;
constexpr int kStepsOfAToken = 3;  // at most, from a request's entry to its first token

// One request may wait; the others' lines are held until it has begun.
class BatchRunTest : public ApiFixture {
 protected:
  BatchRunTest() : ApiFixture({.max_num_seqs = 4, .max_queue = 1}) {
    std::ofstream in(folder_.file("in.jsonl"));
    for (int i = 0; i < kLines; ++i) {
      in << fmt::format(R"({{"custom_id": "{}", "method": "POST", "url": "/v1/completions", )", i)
         << R"("body": {"prompt": "abcdef", "max_tokens": 60, "guided_regex": "[a-f]*"}})" << '\n';
    }
  }

  // Runs all, and calls `look` after each time that the engine was stepped.
  BatchCounts run(FunctionRef<void()> look) {
    auto input = BatchInput::open(folder_.file("in.jsonl"), 1000);
    auto output = BatchOutput::open(folder_.file("out.jsonl"), *input);
    BatchRun batch(api, model.clock, *input, *output, kLines);
    const auto counts = batch.run([&](const BatchCounts&) {
      for (int i = 0; i < kStepsOfAToken; ++i) model.handle.engine->step();
      look();
    });
    EXPECT_TRUE(counts);
    return counts.value_or(BatchCounts{});
  }

  int64_t counter(std::string_view name) const {
    const std::string text = model.metrics.render();
    const size_t at = text.find(fmt::format("\n{}{{", name));
    return at == std::string::npos ? -1 : std::stoll(text.substr(text.find("} ", at) + 2));
  }
  // Each has a grammar, so this counts how often lines were read, rendered and tokenized.
  int64_t num_tries() const {
    return counter("quire:grammar_cache_hits_total") + counter("quire:grammar_cache_misses_total");
  }

  const TempFolder folder_;
};

TEST_F(BatchRunTest, ALineThatMustWaitIsTriedAgainOnlyWhenThereMayBeRoom) {
  const BatchCounts counts = run([] {});
  EXPECT_EQ(counts.answered, kLines);
  EXPECT_EQ(counts.failed, 0);
  EXPECT_GE(num_tries(), kLines);
  EXPECT_LE(num_tries(), 3 * kLines);  // once, and once for each begin and each end
}

TEST_F(BatchRunTest, AFullQueueKeepsNoRowOfTheEngineEmpty) {
  // Else the first could be done before the compiling thread has told the others of their grammar.
  ASSERT_TRUE(
      model.handle.grammars->compile({.kind = GrammarKind::kRegex, .text = "[a-f]*", .field = "f"}));
  int32_t most_running = 0;
  run([&] { most_running = std::max(most_running, model.handle.engine->stats().num_running); });
  EXPECT_EQ(most_running, 4);
}

TEST_F(BatchRunTest, EachAnswerHasAnIdOfItsOwn) {
  run([] {});
  std::ifstream out(folder_.file("out.jsonl"));
  std::set<std::string> ids;
  for (std::string line; std::getline(out, line);) ids.insert(line.substr(0, line.find(',')));
  EXPECT_EQ(std::ssize(ids), kLines);
}

}  // namespace
}  // namespace quire
