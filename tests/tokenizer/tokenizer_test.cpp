#include "tokenizer/tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <simdjson.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "tests/tokenizer/byte_level_spec.h"
#include "tests/tokenizer/default_model_fixture.h"
#include "tests/tokenizer/random_text.h"

namespace quire {
namespace {

using Ids = std::vector<TokenId>;

Ids ids_in(simdjson::dom::element list) {
  Ids ids;
  for (const auto id : list.get_array()) ids.push_back(static_cast<TokenId>(id.get_int64().value()));
  return ids;
}

TEST(Tokenizer, OtherModelsAreUnsupported) {
  TokenizerSpec spec = byte_level_spec("gpt-2");
  spec.model = "llama";
  const auto tokenizer = Tokenizer::create(std::move(spec));
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(tokenizer.error().message.find("gpt2"), std::string::npos);
}

TEST(Tokenizer, ExactOnTheGoldenTexts) {
  const Tokenizer* tokenizer = default_tokenizer();
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->vocab_size(), 49152);
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  ASSERT_EQ(parser.load_many(QUIRE_SOURCE_DIR "/../shared/golden/tokenizer.jsonl").get(lines),
            simdjson::SUCCESS);
  size_t count = 0;
  for (const auto line : lines) {
    const std::string_view text = line["text"].get_string().value();
    const Ids ids = ids_in(line["ids"].value());
    const Ids ids_special = ids_in(line["ids_special"].value());
    ASSERT_EQ(tokenizer->encode(text, false), ids) << text;
    ASSERT_EQ(tokenizer->encode(text, true), ids_special) << text;
    ASSERT_EQ(tokenizer->decode(ids, false), text);
    ASSERT_EQ(tokenizer->decode(ids, true), text);
    ASSERT_EQ(tokenizer->decode(ids_special, false), text);
    ++count;
  }
  EXPECT_EQ(count, 2000u);
}

TEST(Tokenizer, SkipsControlTokensWhenAsked) {
  const Tokenizer* tokenizer = default_tokenizer();
  ASSERT_NE(tokenizer, nullptr);
  const Ids ids = tokenizer->encode("<|im_start|>user\nHi<|im_end|>", true);
  EXPECT_EQ(ids.front(), 1);
  EXPECT_EQ(ids.back(), 2);
  EXPECT_EQ(tokenizer->decode(ids, true), "user\nHi");
  EXPECT_EQ(tokenizer->decode(ids, false), "<|im_start|>user\nHi<|im_end|>");
}

// The default vocabulary has no token for some bytes; all others come back.
RC_GTEST_PROP(Tokenizer, DefaultModelKeepsEveryByteItHas, (uint64_t seed)) {
  const Tokenizer* tokenizer = default_tokenizer();
  RC_ASSERT(tokenizer != nullptr);
  std::string has;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    if (!tokenizer->encode(text, false).empty()) has += text;
  }
  RC_ASSERT(has.size() == 256u - 21u);
  const std::string text = random_text(seed, 60);
  std::string kept;
  for (const char c : text) {
    if (has.find(c) != std::string::npos) kept.push_back(c);
  }
  std::string bytes;
  for (const TokenId id : tokenizer->encode(text, seed % 2 == 0)) bytes += tokenizer->token_bytes(id);
  RC_ASSERT(bytes == kept);
}

TEST(IncrementalDecoder, HoldsBackUnfinishedCharacters) {
  const auto tokenizer = Tokenizer::create(byte_level_spec("gpt-2", {}, {"<|end|>"}));
  ASSERT_TRUE(tokenizer);
  IncrementalDecoder decoder(**tokenizer, true);
  std::string out;
  for (const TokenId id : {0xF0, 0x9F, 0x99}) {
    decoder.push(id, out);
    EXPECT_EQ(out, "");
  }
  decoder.push(256, out);  // a control token changes nothing
  EXPECT_EQ(out, "");
  decoder.push(0x82, out);
  EXPECT_EQ(out, "\U0001F642");
  decoder.push(0xE4, out);
  decoder.push('x', out);
  EXPECT_EQ(out, "\U0001F642\uFFFDx");
  decoder.push(0xC3, out);
  decoder.finish(out);
  EXPECT_EQ(out, "\U0001F642\uFFFDx\uFFFD");
  decoder.finish(out);
  EXPECT_EQ(out, "\U0001F642\uFFFDx\uFFFD");
}

RC_GTEST_PROP(IncrementalDecoder, DeltasAreWholeCharactersAndTheText, (uint64_t seed)) {
  static const auto tokenizer = Tokenizer::create(
      byte_level_spec("gpt-2", {{"\xE4", "\xB8"}, {"\x99", "\x82"}, {"a", "\xF0"}}, {"<|end|>"}));
  RC_ASSERT(tokenizer.has_value());
  Rng rng(seed);
  Ids ids = (*tokenizer)->encode(random_text(rng(), 30), true);
  for (uint64_t left = rng.below(6); left > 0; --left) {
    const TokenId any = static_cast<TokenId>(rng.below(262)) - 1;  // ids outside the vocabulary too
    ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(rng.below(ids.size() + 1)), any);
  }
  for (const bool skip_special : {false, true}) {
    IncrementalDecoder decoder(**tokenizer, skip_special);
    std::string all;
    for (const TokenId id : ids) {
      std::string delta;
      decoder.push(id, delta);
      RC_ASSERT(is_valid_utf8(delta));
      all += delta;
    }
    decoder.finish(all);
    RC_ASSERT(all == (*tokenizer)->decode(ids, skip_special));
  }
}

}  // namespace
}  // namespace quire
