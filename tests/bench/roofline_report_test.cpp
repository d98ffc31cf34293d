#include "bench/roofline_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

using testing::HasSubstr;

RooflineReport sample_report() {
  RooflineReport report{.isa = "avx2",
                        .threads = 2,
                        .bandwidth = 25e9,
                        .peaks = {{"fma", 200e9}},
                        .kernels = {},
                        .model = {}};
  report.kernels.push_back({.name = "linear",
                            .shape = "64x32, 4 tokens",
                            .work = {.memory_bytes = 1e6, .int8_ops = 3e6, .bf16_ops = 1e6},
                            .seconds = 50e-6,
                            .bound = Bound::kMemory,
                            .share = 0.8});
  report.kernels.push_back(
      {.name = "add", .shape = "16 rows of 8", .work = {.cache_bytes = 3e3}, .seconds = 1e-6});
  return report;
}

TEST(RooflineReport, ARowShowsRatesAndTheShareOfItsBound) {
  const RooflineReport report = sample_report();
  const std::string bounded = row_text(report.kernels[0]);
  for (const char* part : {"linear", "64x32, 4 tokens", "50.0 us", "20.0", "80.0", "memory", "80%"})
    EXPECT_THAT(bounded, HasSubstr(part));
  EXPECT_THAT(row_text(report.kernels[1]), HasSubstr(" 3.0        -  -               -"));
  EXPECT_THAT(machine_text(report), HasSubstr("2 threads read 25.0 GB/s"));
}

TEST(RooflineReport, JsonHasEveryFigure) {
  const std::string json = to_json(sample_report());
  for (const char* part : {R"("threads":2)", R"("bandwidth_gbs":25)", R"("isa":"avx2")", R"("gops":200)",
                           R"("share":0.8)", R"("int8_ops":3000000)", R"("bf16_ops":1000000)",
                           R"("bound":"memory")", R"("share":null)", R"("model":[])"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
}

TEST(RooflineReport, APictureThatCannotBeDrawnIsAnError) {
  const auto drawn = plot(sample_report(), "/nonexistent/folder/roofline.png");
  ASSERT_FALSE(drawn);  // whether Python or the folder is what is missing
  EXPECT_THAT(drawn.error().message,
              testing::AnyOf(HasSubstr("matplotlib"), HasSubstr("/nonexistent/folder")));
}

}  // namespace
}  // namespace quire
