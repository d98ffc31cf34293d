#include "bench/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quire {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ProgressBarTest : public testing::Test {
 protected:
  ProgressBar::Write write() {
    return [this](std::string_view text) { written_.emplace_back(text); };
  }
  std::vector<std::string> written_;
};

TEST_F(ProgressBarTest, IsDrawnWhereSomethingChangedAndClearedAtTheEnd) {
  {
    ProgressBar bar(true, ProgressBar::Elsewhere::kSilent, write());
    bar.show(0, 1000, 0);
    bar.show(1, 1000, 0.5);  // neither a percent nor a second more
    bar.show(2, 1000, 1.25);
    bar.show(500, 1000, 1.5);
    bar.show(1000, 1000, 1.75);
  }
  const std::string rest(40, '-'), half(20, '-'), done(20, '#');
  EXPECT_THAT(written_, ElementsAre("\r[" + rest + "] 0/1000, 0 s ", "\r[" + rest + "] 2/1000, 1 s ",
                                    "\r[" + done + half + "] 500/1000, 1 s ",
                                    "\r[" + done + done + "] 1000/1000, 1 s ", "\r\x1b[K"));
}

TEST_F(ProgressBarTest, ElsewhereThereIsALineNowAndThen) {
  {
    ProgressBar lines(false, ProgressBar::Elsewhere::kLines, write());
    for (const double second : {0.0, 9.0, 10.0, 19.0, 25.0})
      lines.show(static_cast<size_t>(second), 200, second);
    lines.show(200, 200, 60);  // that is for the report to say
  }
  EXPECT_THAT(written_,
              ElementsAre("10 of 200 done (5%) after 10 s\n", "25 of 200 done (12%) after 25 s\n"));
}

TEST_F(ProgressBarTest, OrNothing) {
  {
    ProgressBar silent(false, ProgressBar::Elsewhere::kSilent, write());
    silent.show(5, 10, 60);
    ProgressBar endless(true, ProgressBar::Elsewhere::kLines, write());
    endless.show(0, 0, 1);
  }
  EXPECT_THAT(written_, IsEmpty());
}

}  // namespace
}  // namespace quire
