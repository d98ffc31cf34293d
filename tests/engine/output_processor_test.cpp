#include "engine/output_processor.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "tests/tokenizer/byte_level_spec.h"

namespace quire {
namespace {

// Token b is byte b; these come after the bytes.
constexpr TokenId kAb = 256, kBa = 257, kAba = 258, kTorn = 259, kEos = 260, kOther = 261;

const Tokenizer& tokenizer() {
  static const auto made = Tokenizer::create(
      byte_level_spec("gpt-2", {{"a", "b"}, {"b", "a"}, {"ab", "a"}, {"b", "\xE4"}}, {"<eos>", "<ab>"}));
  return **made;
}

TokenDelta token(TokenId id, int32_t index = 0) {
  TokenDelta delta;
  delta.index = index;
  delta.token = id;
  return delta;
}

TokenDelta last(TokenId id, FinishReason reason, int32_t index = 0) {
  TokenDelta delta = token(id, index);
  delta.finish_reason = reason;
  if (reason == FinishReason::kStop) delta.stop_token = id;
  return delta;
}

TextDelta process_one(OutputProcessor& processor, const TokenDelta& delta) {
  std::vector<TextDelta> out;
  processor.process(delta, out);
  EXPECT_EQ(out.size(), 1u);
  return out.empty() ? TextDelta{} : std::move(out[0]);
}

// All of a text, a token a byte, then the end of max_tokens.
struct Result {
  std::string text;
  std::vector<TokenId> ids;
  FinishReason finish_reason = FinishReason::kNone;
  std::variant<std::monostate, TokenId, std::string> stop_reason;
};

Result run(const SamplingParams& params, const std::vector<TokenDelta>& deltas) {
  OutputProcessor processor(tokenizer(), params);
  Result result;
  for (const TokenDelta& delta : deltas) {
    std::vector<TextDelta> out;
    processor.process(delta, out);
    for (const TextDelta& piece : out) {
      result.text += piece.text;
      for (const OutputToken& token : piece.tokens) result.ids.push_back(token.id);
      if (piece.finish_reason == FinishReason::kNone) continue;
      EXPECT_EQ(result.finish_reason, FinishReason::kNone) << "a continuation ended twice";
      result.finish_reason = piece.finish_reason;
      result.stop_reason = piece.stop_reason;
    }
  }
  EXPECT_EQ(processor.done(), result.finish_reason != FinishReason::kNone);
  return result;
}

std::vector<TokenDelta> bytes_then_length(std::string_view text) {
  std::vector<TokenDelta> deltas;
  for (const char c : text) deltas.push_back(token(static_cast<uint8_t>(c)));
  deltas.back().finish_reason = FinishReason::kLength;
  return deltas;
}

TEST(OutputProcessor, TextComesAsItsTokensCome) {
  OutputProcessor processor(tokenizer(), {});
  EXPECT_EQ(process_one(processor, token('H')).text, "H");
  const TextDelta delta = process_one(processor, token(kAb));
  EXPECT_EQ(delta.text, "ab");
  ASSERT_EQ(delta.tokens.size(), 1u);
  EXPECT_EQ(delta.tokens[0].id, kAb);
  EXPECT_EQ(delta.tokens[0].text_offset, 1);
  EXPECT_FALSE(processor.done());
  const TextDelta end = process_one(processor, last('!', FinishReason::kLength));
  EXPECT_EQ(end.text, "!");
  EXPECT_EQ(end.finish_reason, FinishReason::kLength);
  EXPECT_TRUE(processor.done());
}

TEST(OutputProcessor, LogprobsComeWithTheirTokens) {
  SamplingParams params;
  params.stop = {"ab"};
  OutputProcessor processor(tokenizer(), params);
  TokenDelta delta = token('a');
  delta.logprob = -0.5f;
  delta.top = {{'a', -0.5f}, {'b', -1.5f}};
  const TextDelta text = process_one(processor, delta);
  EXPECT_EQ(text.text, "");  // held back, but the token is not
  ASSERT_EQ(text.tokens.size(), 1u);
  EXPECT_EQ(text.tokens[0].logprob, -0.5f);
  ASSERT_EQ(text.tokens[0].top.size(), 2u);
  EXPECT_EQ(text.tokens[0].top[1].token, 'b');
  const TextDelta next = process_one(processor, token('x'));
  EXPECT_EQ(next.text, "ax");
  EXPECT_EQ(next.tokens[0].text_offset, 1);  // what was held back counts
}

TEST(OutputProcessor, CharactersAreWhole) {
  OutputProcessor processor(tokenizer(), {});
  EXPECT_EQ(process_one(processor, token(0xF0)).text, "");
  EXPECT_EQ(process_one(processor, token(0x9F)).text, "");
  EXPECT_EQ(process_one(processor, token(0x99)).text, "");
  EXPECT_EQ(process_one(processor, token(0x82)).text, "\U0001F642");
  EXPECT_EQ(process_one(processor, token(0xC3)).text, "");
  EXPECT_EQ(process_one(processor, last(0xC3, FinishReason::kLength)).text, "\uFFFD\uFFFD");
}

TEST(OutputProcessor, ControlTokensThatAParserNeedsAreText) {
  OutputProcessor processor(tokenizer(), {}, {kOther});
  EXPECT_EQ(process_one(processor, token(kOther)).text, "<ab>");
  EXPECT_EQ(process_one(processor, token(kEos)).text, "");
}

TEST(OutputProcessor, AStopStringCutsTheText) {
  SamplingParams params;
  params.stop = {"stop"};
  Result result = run(params, bytes_then_length("please stop it"));
  EXPECT_EQ(result.text, "please ");
  EXPECT_EQ(result.ids.size(), std::string_view("please stop").size());
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(std::get<std::string>(result.stop_reason), "stop");
  params.include_stop_str_in_output = true;
  EXPECT_EQ(run(params, bytes_then_length("please stop it")).text, "please stop");
}

TEST(OutputProcessor, AStopStringCutsWithinAToken) {
  SamplingParams params;
  params.stop = {"b"};
  Result result = run(params, {token('x'), token(kAba), token('y')});
  EXPECT_EQ(result.text, "xa");
  EXPECT_EQ(result.ids, (std::vector<TokenId>{'x', kAba}));
  params.include_stop_str_in_output = true;
  EXPECT_EQ(run(params, {token('x'), token(kAba)}).text, "xab");
}

TEST(OutputProcessor, TheFirstCompleteStopStringWins) {
  SamplingParams params;
  params.stop = {"abcd", "bc", "c"};
  const Result result = run(params, bytes_then_length("xabcd"));
  EXPECT_EQ(result.text, "xa");
  EXPECT_EQ(std::get<std::string>(result.stop_reason), "bc");
}

TEST(OutputProcessor, HeldBackTextComesWhenItCannotMatch) {
  SamplingParams params;
  params.stop = {"\n\nUser:"};
  OutputProcessor processor(tokenizer(), params);
  EXPECT_EQ(process_one(processor, token('\n')).text, "");
  EXPECT_EQ(process_one(processor, token('\n')).text, "");
  EXPECT_EQ(process_one(processor, token('\n')).text, "\n");
  EXPECT_EQ(process_one(processor, token('U')).text, "");
  EXPECT_EQ(process_one(processor, token('x')).text, "\n\nUx");
}

TEST(OutputProcessor, AnEndBringsWhatIsHeldBack) {
  SamplingParams params;
  params.stop = {"abc"};
  for (const FinishReason reason : {FinishReason::kLength, FinishReason::kAborted, FinishReason::kError}) {
    TokenDelta end;
    end.finish_reason = reason;
    const Result result = run(params, {token('x'), token(kAb), end});
    EXPECT_EQ(result.text, "xab");
    EXPECT_EQ(result.ids, (std::vector<TokenId>{'x', kAb}));
    EXPECT_EQ(result.finish_reason, reason);
  }
  EXPECT_EQ(run(params, {token(kAb), last(kEos, FinishReason::kStop)}).text, "ab");
}

TEST(OutputProcessor, TheStoppingTokenHasNoText) {
  SamplingParams params;
  params.stop_token_ids = {'z'};
  params.eos_token_ids = {kEos};
  const Result stopped = run(params, {token('a'), last('z', FinishReason::kStop)});
  EXPECT_EQ(stopped.text, "a");
  EXPECT_EQ(stopped.ids, (std::vector<TokenId>{'a', 'z'}));
  EXPECT_EQ(std::get<TokenId>(stopped.stop_reason), 'z');
  params.skip_special_tokens = false;
  const Result ended = run(params, {token('a'), last(kEos, FinishReason::kStop)});
  EXPECT_EQ(ended.text, "a");
  EXPECT_EQ(ended.ids, (std::vector<TokenId>{'a', kEos}));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(ended.stop_reason));
  params.include_stop_str_in_output = true;
  EXPECT_EQ(run(params, {token('a'), last('z', FinishReason::kStop)}).text, "az");
  EXPECT_EQ(run(params, {token('a'), last(kEos, FinishReason::kStop)}).text, "a<eos>");
  params.skip_special_tokens = true;
  EXPECT_EQ(run(params, {token('a'), last(kEos, FinishReason::kStop)}).text, "a");
}

TEST(OutputProcessor, SpecialTokensInTheMiddle) {
  SamplingParams params;
  params.ignore_eos = true;
  const std::vector<TokenDelta> deltas = {token('a'), token(kEos), last('b', FinishReason::kLength)};
  const Result skipped = run(params, deltas);
  EXPECT_EQ(skipped.text, "ab");
  EXPECT_EQ(skipped.ids, (std::vector<TokenId>{'a', kEos, 'b'}));
  params.skip_special_tokens = false;
  EXPECT_EQ(run(params, deltas).text, "a<eos>b");
  params.stop = {"eos>b"};  // their spelling is text then
  EXPECT_EQ(run(params, deltas).text, "a<");
}

TEST(OutputProcessor, NoStopStringBeforeMinTokens) {
  SamplingParams params;
  params.stop = {"ab"};
  params.min_tokens = 4;
  EXPECT_EQ(run(params, bytes_then_length("abxab!")).text,
            "abx");  // the second, completed by the fifth token
  EXPECT_EQ(run(params, bytes_then_length("xxab!")).text, "xx");  // completed by the fourth
  EXPECT_EQ(run(params, bytes_then_length("xabxx")).text, "xabxx");
  params.min_tokens = 2;
  EXPECT_EQ(run(params, {token(kAb), token('x')}).text, "abx");
}

TEST(OutputProcessor, ContinuationsAreApart) {
  SamplingParams params;
  params.n = 2;
  params.stop = {"ab"};
  OutputProcessor processor(tokenizer(), params);
  EXPECT_EQ(process_one(processor, token('a', 0)).text, "");
  EXPECT_EQ(process_one(processor, token('b', 1)).text, "b");
  const TextDelta stopped = process_one(processor, token('b', 0));
  EXPECT_EQ(stopped.index, 0);
  EXPECT_EQ(stopped.finish_reason, FinishReason::kStop);
  EXPECT_FALSE(processor.done());
  std::vector<TextDelta> out;
  processor.process(token('c', 0), out);  // the engine has not heard of it yet
  processor.process(last(-1, FinishReason::kStop, 0), out);
  EXPECT_TRUE(out.empty());
  const TextDelta ended = process_one(processor, last('a', FinishReason::kLength, 1));
  EXPECT_EQ(ended.text, "a");
  EXPECT_EQ(ended.index, 1);
  EXPECT_TRUE(processor.done());
}

TEST(OutputProcessor, PromptLogprobsMakeNoText) {
  OutputProcessor processor(tokenizer(), {});
  TokenDelta delta;
  delta.prompt.push_back({1, 'a', -1.0f, {}});
  std::vector<TextDelta> out;
  processor.process(delta, out);
  EXPECT_TRUE(out.empty());
}

// The oracle knows the whole text at every token, and tries every stop string at every end.
struct Oracle {
  const SamplingParams& params;
  std::string whole;                  // all of it, had nothing stopped it
  std::vector<size_t> visible = {0};  // bytes of text that are whole after k tokens

  Oracle(const SamplingParams& params, const std::vector<TokenDelta>& deltas) : params(params) {
    std::string bytes;
    for (const TokenDelta& delta : deltas) {
      const bool left_out = delta.stop_token == delta.token && !params.include_stop_str_in_output;
      const bool skipped = params.skip_special_tokens && tokenizer().is_special(delta.token);
      if (!left_out && !skipped) bytes += tokenizer().token_bytes(delta.token);
      const std::string_view complete = std::string_view(bytes).substr(0, complete_utf8_length(bytes));
      visible.push_back(replace_invalid_utf8(complete).size());
    }
    whole = replace_invalid_utf8(bytes);
  }

  // The token that brought byte `end - 1`; the last also brings what the end brings.
  size_t token_of(size_t end) const {
    size_t k = 1;
    while (k + 1 < visible.size() && visible[k] < end) ++k;
    return k;
  }

  Result result(const std::vector<TokenDelta>& deltas) const {
    Result expected;
    expected.text = whole;
    expected.finish_reason = deltas.back().finish_reason;
    size_t num_tokens = deltas.size();
    for (size_t end = 1; end <= whole.size() && expected.stop_reason.index() == 0; ++end) {
      if (token_of(end) < static_cast<size_t>(params.min_tokens)) continue;
      std::string longest;
      for (const std::string& stop : params.stop) {
        if (whole.substr(0, end).ends_with(stop) && stop.size() > longest.size()) longest = stop;
      }
      if (longest.empty()) continue;
      expected.text = whole.substr(0, params.include_stop_str_in_output ? end : end - longest.size());
      expected.finish_reason = FinishReason::kStop;
      expected.stop_reason = longest;
      num_tokens = token_of(end);
    }
    for (size_t i = 0; i < num_tokens; ++i) expected.ids.push_back(deltas[i].token);
    return expected;
  }

  // What may be seen after k tokens, none of which ended the text.
  std::string shown(size_t k) const {
    const std::string text = whole.substr(0, visible[k]);
    size_t held = 0;
    for (const std::string& stop : params.stop) {
      for (size_t length = 1; length < stop.size(); ++length) {
        if (text.ends_with(stop.substr(0, length))) held = std::max(held, length);
      }
    }
    return text.substr(0, text.size() - held);
  }
};

RC_GTEST_PROP(OutputProcessor, AgreesWithTheOracle, (uint64_t seed)) {
  Rng rng(seed);
  static constexpr TokenId kTokens[] = {'a',  'b',    'a',  'b',  kAb,  kBa,  kAba, kTorn,
                                        kEos, kOther, 0xE4, 0xB8, 0xAD, 0xFF, 'c',  kTorn};
  static constexpr std::string_view kStops[] = {"a",  "b",      "ab",      "ba",   "aab",  "abab", "bb",
                                                "ca", "\uFFFD", "b\u4E2D", "<eos", "<ab>", "abaab"};
  SamplingParams params;
  params.min_tokens = rng.below(2) == 0 ? 0 : static_cast<int32_t>(rng.below(8));
  params.include_stop_str_in_output = rng.below(2) == 0;
  params.skip_special_tokens = rng.below(2) == 0;
  params.ignore_eos = true;
  for (uint64_t left = rng.below(4); left > 0; --left) {
    params.stop.emplace_back(kStops[rng.below(std::size(kStops))]);
  }
  std::vector<TokenDelta> deltas;
  for (uint64_t left = 1 + rng.below(14); left > 0; --left) {
    deltas.push_back(token(kTokens[rng.below(std::size(kTokens))]));
  }
  if (rng.below(2) == 0) {
    deltas.back() = last(kOther, FinishReason::kStop);
  } else {
    deltas.back().finish_reason = FinishReason::kLength;
  }

  const Oracle oracle(params, deltas);
  const Result expected = oracle.result(deltas);
  OutputProcessor processor(tokenizer(), params);
  Result got;
  for (const TokenDelta& delta : deltas) {
    std::vector<TextDelta> out;
    processor.process(delta, out);
    for (const TextDelta& piece : out) {
      RC_ASSERT(is_valid_utf8(piece.text));
      got.text += piece.text;
      for (const OutputToken& token : piece.tokens) {
        RC_ASSERT(token.text_offset == static_cast<int64_t>(oracle.visible[got.ids.size()]));
        got.ids.push_back(token.id);
      }
      got.finish_reason = piece.finish_reason;
      got.stop_reason = piece.stop_reason;
    }
    if (!processor.done()) RC_ASSERT(got.text == oracle.shown(got.ids.size()));
  }
  RC_ASSERT(processor.done());
  RC_ASSERT(got.text == expected.text);
  RC_ASSERT(got.ids == expected.ids);
  RC_ASSERT(got.finish_reason == expected.finish_reason);
  RC_ASSERT(got.stop_reason == expected.stop_reason);
}

TEST(OutputProcessor, TheBestOfMoreComeAtTheEnd) {
  SamplingParams params;
  params.n = 2;
  params.best_of = 3;
  params.stop = {"b"};
  OutputProcessor processor(tokenizer(), params);
  std::vector<TextDelta> out;
  const auto scored = [](TokenDelta delta, float logprob) {
    delta.logprob = logprob;
    return delta;
  };
  EXPECT_FALSE(processor.process(scored(token('a', 0), -1), out));
  EXPECT_FALSE(processor.process(scored(token('c', 1), -3), out));
  EXPECT_FALSE(processor.process(scored(token('a', 2), -2), out));
  EXPECT_TRUE(processor.process(scored(token('b', 2), 0), out)) << "a stop string: the engine goes on";
  EXPECT_FALSE(processor.process(scored(token('c', 2), -9), out)) << "which does not count";
  EXPECT_FALSE(processor.process(scored(last('c', FinishReason::kLength, 1), -3), out));
  EXPECT_TRUE(out.empty());
  EXPECT_FALSE(processor.process(scored(last('x', FinishReason::kLength, 0), -2), out));
  ASSERT_EQ(out.size(), 2u) << "means of -1.5, -3 and -1";
  EXPECT_EQ(out[0].index, 0);
  EXPECT_EQ(out[0].text, "a");
  EXPECT_EQ(out[0].finish_reason, FinishReason::kStop);
  EXPECT_EQ(std::get<std::string>(out[0].stop_reason), "b");
  EXPECT_EQ(out[1].index, 1);
  EXPECT_EQ(out[1].text, "ax");
  EXPECT_EQ(out[1].tokens.size(), 2u);
  EXPECT_TRUE(processor.done());
}

}  // namespace
}  // namespace quire
