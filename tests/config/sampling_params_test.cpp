#include "config/sampling_params.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <vector>

namespace quire {
namespace {

constexpr int32_t kVocab = 100;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();
constexpr int32_t kMinInt = std::numeric_limits<int32_t>::min();

using Change = std::function<void(SamplingParams&)>;

void accepts(const Change& change) {
  SamplingParams params;
  change(params);
  const auto result = validate(params, kVocab);
  EXPECT_TRUE(result) << result.error().message;
}

void refuses(const char* field, const Change& change) {
  SamplingParams params;
  change(params);
  const auto result = validate(params, kVocab);
  ASSERT_FALSE(result) << field;
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().param, field);
  EXPECT_NE(result.error().message.find(field), std::string::npos) << result.error().message;
}

template <class Value>
void check_range(const char* field, Value SamplingParams::*member, std::vector<double> good,
                 std::vector<double> bad) {
  using Number = std::conditional_t<std::is_same_v<Value, double>, double, int32_t>;
  for (const double value : good)
    accepts([&](auto& params) { params.*member = static_cast<Number>(value); });
  for (const double value : bad)
    refuses(field, [&](auto& params) { params.*member = static_cast<Number>(value); });
}

TEST(SamplingParams, DefaultsAreValid) {
  accepts([](auto&) {});
  EXPECT_FALSE(SamplingParams().greedy());
}

TEST(SamplingParams, IntegersAtAndBeyondTheirBounds) {
  check_range("n", &SamplingParams::n, {1, 128}, {0, -1, 129, double(kMaxInt), double(kMinInt)});
  check_range("max_tokens", &SamplingParams::max_tokens, {1, double(kMaxInt)}, {0, -1, double(kMinInt)});
  check_range("min_tokens", &SamplingParams::min_tokens, {0, 16}, {-1, 17, double(kMaxInt)});
  check_range("top_k", &SamplingParams::top_k, {-1, 0, 1, double(kMaxInt)}, {-2, double(kMinInt)});
  check_range("logprobs", &SamplingParams::logprobs, {0, 20}, {-1, 21, double(kMaxInt)});
  check_range("prompt_logprobs", &SamplingParams::prompt_logprobs, {0, 20}, {-1, 21});
}

TEST(SamplingParams, RealsAtAndBeyondTheirBounds) {
  const double above_two = std::nextafter(2.0, 3.0), above_one = std::nextafter(1.0, 2.0), least = 5e-324;
  check_range("temperature", &SamplingParams::temperature, {0, 2}, {-least, above_two, kNan, kInfinity});
  check_range("top_p", &SamplingParams::top_p, {least, 1}, {0, -1, above_one, kNan, -kInfinity});
  check_range("min_p", &SamplingParams::min_p, {0, 1}, {-least, above_one, kNan});
  check_range("repetition_penalty", &SamplingParams::repetition_penalty, {least, 2},
              {0, -1, above_two, kNan});
  check_range("presence_penalty", &SamplingParams::presence_penalty, {-2, 2},
              {-above_two, above_two, kNan});
  check_range("frequency_penalty", &SamplingParams::frequency_penalty, {-2, 2},
              {-above_two, above_two, kNan, kInfinity});
}

TEST(SamplingParams, AnySeedIsLegal) {
  for (const int64_t seed : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                             std::numeric_limits<int64_t>::max()}) {
    accepts([&](auto& params) { params.seed = seed; });
  }
}

TEST(SamplingParams, MinTokensFitInMaxTokens) {
  accepts([](auto& params) { params.max_tokens = params.min_tokens = 5; });
  refuses("min_tokens", [](auto& params) { params.max_tokens = 5, params.min_tokens = 6; });
}

TEST(SamplingParams, StopStrings) {
  accepts([](auto& params) { params.stop.assign(16, "x"); });
  refuses("stop", [](auto& params) { params.stop.assign(17, "x"); });
  refuses("stop", [](auto& params) { params.stop = {"fine", ""}; });
  accepts([](auto& params) { params.stop = {std::string(1024, 'x')}; });
  refuses("stop", [](auto& params) { params.stop = {"a", std::string(1025, 'x')}; });
}

TEST(SamplingParams, LogitBiases) {
  accepts([](auto& params) { params.logit_bias = {{0, -100.0F}, {kVocab - 1, 100.0F}}; });
  accepts([](auto& params) { params.logit_bias.assign(1024, {1, 1.0F}); });
  refuses("logit_bias", [](auto& params) { params.logit_bias.assign(1025, {1, 1.0F}); });
  refuses("logit_bias", [](auto& params) { params.logit_bias = {{kVocab, 1.0F}}; });
  refuses("logit_bias", [](auto& params) { params.logit_bias = {{-1, 1.0F}}; });
  for (const float bias : {100.01F, -100.01F, float(kInfinity), float(kNan)}) {
    refuses("logit_bias", [&](auto& params) { params.logit_bias = {{1, bias}}; });
  }
}

TEST(SamplingParams, StopTokenIds) {
  accepts([](auto& params) { params.stop_token_ids = {0, kVocab - 1}; });
  refuses("stop_token_ids", [](auto& params) { params.stop_token_ids = {3, kVocab}; });
  refuses("stop_token_ids", [](auto& params) { params.stop_token_ids = {-1}; });
  accepts([](auto& params) { params.stop_token_ids.assign(1024, 1); });
  refuses("stop_token_ids", [](auto& params) { params.stop_token_ids.assign(1025, 1); });
}

TEST(SamplingParams, BestOfIsAtLeastN) {
  accepts([](auto& params) { params.best_of = 1; });
  accepts([](auto& params) { params.n = params.best_of.emplace(3); });
  refuses("best_of", [](auto& params) { params.n = 1 + params.best_of.emplace(3); });
  refuses("best_of", [](auto& params) { params.best_of = 0; });
  refuses("best_of", [](auto& params) { params.best_of = 129; });
}

TEST(SamplingParams, BeamsDrawNothing) {
  const auto with_beams = [](auto change) {
    return [change](auto& params) {
      params.use_beam_search = true;
      params.n = 4;
      change(params);
    };
  };
  accepts(with_beams([](auto& params) { params.best_of = 64; }));
  accepts(with_beams([](auto& params) { params.temperature = 0; }));
  accepts(with_beams([](auto& params) { params.logprobs = 0; }));
  accepts(with_beams([](auto& params) { params.length_penalty = -10; }));
  accepts(with_beams([](auto& params) { params.early_stopping = EarlyStopping::kNever; }));
  refuses("best_of", with_beams([](auto& params) { params.best_of = 65; }));
  refuses("n", with_beams([](auto& params) { params.n = 65; }));
  refuses("temperature", with_beams([](auto& params) { params.temperature = 0.5; }));
  refuses("top_p", with_beams([](auto& params) { params.top_p = 0.5; }));
  refuses("top_k", with_beams([](auto& params) { params.top_k = 1; }));
  refuses("min_p", with_beams([](auto& params) { params.min_p = 0.1; }));
  refuses("stop", with_beams([](auto& params) { params.stop = {"a"}; }));
  refuses("logprobs", with_beams([](auto& params) { params.logprobs = 1; }));
  refuses("length_penalty", with_beams([](auto& params) { params.length_penalty = 10.1; }));
}

TEST(SamplingParams, FieldsOfBeamsNeedBeams) {
  refuses("length_penalty", [](auto& params) { params.length_penalty = 0.9; });
  refuses("early_stopping", [](auto& params) { params.early_stopping = EarlyStopping::kTrue; });
}

TEST(SamplingParams, MessagesSayTheRange) {
  SamplingParams params;
  params.top_p = 1.5;
  EXPECT_EQ(validate(params, kVocab).error().message,
            "top_p must be greater than 0 and at most 1, but is 1.5");
  params = {};
  params.temperature = 2.5;
  EXPECT_EQ(validate(params, kVocab).error().message,
            "temperature must be at least 0 and at most 2, but is 2.5");
}

TEST(SamplingParams, FieldsHaveNamesHelpAndDefaultsInRange) {
  const SamplingParams defaults;
  std::set<std::string_view> names;
  for (const auto& field : sampling_fields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_FALSE(field.help.empty()) << field.name;
    EXPECT_LE(field.min, field.max) << field.name;
  }
  EXPECT_TRUE(names.contains("max_tokens"));
  EXPECT_TRUE(validate(defaults, kVocab));
}

}  // namespace
}  // namespace quire
