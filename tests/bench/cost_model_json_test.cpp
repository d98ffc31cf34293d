#include "bench/cost_model_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

using testing::HasSubstr;

TEST(CostModelJson, ReadsBackWhatItWrote) {
  CostModel model = opt_13b_on_a100(16);
  model.sample_s = 1.0 / 3;
  const auto read = parse_cost_model(to_json(model));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->name, model.name);
  EXPECT_EQ(read->source, model.source);
  ASSERT_EQ(read->points.size(), model.points.size());
  for (size_t i = 0; i < model.points.size(); ++i) {
    EXPECT_EQ(read->points[i].tokens, model.points[i].tokens);
    EXPECT_EQ(read->points[i].seconds, model.points[i].seconds);
  }
  EXPECT_EQ(read->sample_s, model.sample_s);
  EXPECT_EQ(read->context_s, model.context_s);
  EXPECT_EQ(read->pair_s, model.pair_s);
  EXPECT_EQ(read->copy_s, model.copy_s);
}

TEST(CostModelJson, SaysWhatIsWrong) {
  const std::string whole = to_json(opt_13b_on_a100(16));
  const auto message = [](const std::string& text) {
    const auto read = parse_cost_model(text);
    return read ? std::string("none") : read.error().message;
  };
  const auto without = [&](const std::string& part, const std::string& instead) {
    std::string text = whole;
    return text.replace(text.find(part), part.size(), instead);
  };
  EXPECT_EQ(message(whole), "none");
  EXPECT_THAT(message("[]"), HasSubstr("object"));
  EXPECT_THAT(message(without("\"name\"", "\"title\"")), HasSubstr("name must be a string"));
  EXPECT_THAT(message(without("\"pair_s\":", "\"pair_s\":-")), HasSubstr("pair_s must be a number"));
  EXPECT_THAT(message(without("\"tokens\":", "\"tokens\":-")), HasSubstr("tokens, at least 1"));
  EXPECT_THAT(message(without("\"points\"", "\"dots\"")), HasSubstr("must have points"));
}

}  // namespace
}  // namespace quire
