#include "tokenizer/bpe_tokenizer.h"

#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace quire {
namespace {

Expected<> check_ids(const TokenizerSpec& spec) {
  const std::array<std::pair<std::string_view, std::optional<TokenId>>, 6> named{{
      {"bos", spec.bos},
      {"eos", spec.eos},
      {"eot", spec.eot},
      {"eom", spec.eom},
      {"unknown", spec.unknown},
      {"padding", spec.padding},
  }};
  for (const auto& [name, id] : named) {
    if (id && (*id < 0 || static_cast<size_t>(*id) >= spec.tokens.size())) {
      return fail(ErrorCode::kCorrupt, "the {} token is {}, but the vocabulary has {} tokens", name, *id,
                  spec.tokens.size());
    }
  }
  return {};
}

bool is_control(TokenType type) { return type == TokenType::kControl || type == TokenType::kUnknown; }

}  // namespace

BpeTokenizer::BpeTokenizer(TokenizerSpec spec, PreTokenizer rules, Vocabulary vocabulary, MergeTable merges)
    : spec_(std::move(spec)),
      rules_(rules),
      vocabulary_(std::move(vocabulary)),
      merges_(std::move(merges)) {}

Expected<std::unique_ptr<Tokenizer>> BpeTokenizer::create(TokenizerSpec spec) {
  const auto rules = find_pre_tokenizer(spec.pre_tokenizer);
  if (!rules) {
    return fail(ErrorCode::kUnsupported, "the pre-tokenizer '{}' is not supported; supported are {}",
                replace_invalid_utf8(spec.pre_tokenizer.substr(0, 100)), pre_tokenizer_names());
  }
  if (spec.tokens.empty()) return fail(ErrorCode::kCorrupt, "the vocabulary has no tokens");
  if (auto checked = check_ids(spec); !checked) return std::unexpected(checked.error());
  auto vocabulary = Vocabulary::create(spec.tokens, spec.types);
  if (!vocabulary) return std::unexpected(vocabulary.error());
  auto merges = MergeTable::create(spec.merges, *vocabulary);
  if (!merges) return std::unexpected(merges.error());
  auto tokenizer = std::unique_ptr<BpeTokenizer>(
      new BpeTokenizer(std::move(spec), *rules, std::move(*vocabulary), std::move(*merges)));
  if (auto added = tokenizer->add_special_tokens(); !added) return std::unexpected(added.error());
  tokenizer->find_whole_words();
  return tokenizer;
}

Expected<> BpeTokenizer::add_special_tokens() {
  for (size_t i = 0; i < spec_.types.size(); ++i) {
    const TokenType type = spec_.types[i];
    const std::string& spelling = spec_.tokens[i];
    if ((!is_control(type) && type != TokenType::kUserDefined) || spelling.empty()) continue;
    if (spelling.size() > SpecialTokens::kMaxSpellingBytes) {
      return fail(ErrorCode::kCorrupt, "special token {} is {} bytes long; at most {} are allowed", i,
                  spelling.size(), SpecialTokens::kMaxSpellingBytes);
    }
    const TokenId id = static_cast<TokenId>(i);
    if (!on_demand_.add(spelling, id)) {
      return fail(ErrorCode::kCorrupt, "special token {} is spelled like an earlier one", i);
    }
    if (type == TokenType::kUserDefined) always_.add(spelling, id);
  }
  return {};
}

void BpeTokenizer::find_whole_words() {
  whole_word_.resize(vocabulary_.size());
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    const std::string_view word = vocabulary_.bytes(id);
    if (vocabulary_.find(word) != id) continue;
    // These models take a word that is a token as it is, whether or not its merges lead there.
    if (rules_ == PreTokenizer::kLlamaBpe) {
      whole_word_[id] = true;
      continue;
    }
    ids.clear();
    merges_.encode_word(word, vocabulary_, ids);
    whole_word_[id] = ids.size() == 1 && ids[0] == id;
  }
}

std::vector<TokenId> BpeTokenizer::encode(std::string_view text, bool parse_special) const {
  const TextPart part = {text, parse_special};
  return encode_joined(text, {&part, 1});
}

std::vector<TokenId> BpeTokenizer::encode_parts(std::span<const TextPart> parts) const {
  std::string text;
  for (const TextPart& part : parts) text += part.text;
  return encode_joined(text, parts);
}

std::vector<TokenId> BpeTokenizer::encode_joined(std::string_view text,
                                                 std::span<const TextPart> parts) const {
  std::vector<TokenId> out;
  size_t plain_begin = 0;  // what lies before is encoded
  size_t part_end = 0;
  for (const TextPart& part : parts) {
    size_t at = part_end;
    part_end += part.text.size();
    const SpecialTokens& special = part.parse_special ? on_demand_ : always_;
    while (const auto match = special.find(text.substr(0, part_end), at)) {
      encode_plain(text.substr(plain_begin, match->begin - plain_begin), out);
      out.push_back(match->id);
      plain_begin = at = match->begin + match->length;
    }
  }
  encode_plain(text.substr(plain_begin), out);
  return out;
}

void BpeTokenizer::encode_plain(std::string_view text, std::vector<TokenId>& out) const {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, first_word_length(rules_, text));
    text.remove_prefix(word.size());
    const TokenId id = vocabulary_.find(word);
    if (id != kNoToken && whole_word_[id]) {
      out.push_back(id);
    } else {
      merges_.encode_word(word, vocabulary_, out);
    }
  }
}

std::string_view BpeTokenizer::token_bytes(TokenId id) const {
  return id >= 0 && id < vocabulary_.size() ? vocabulary_.bytes(id) : std::string_view();
}

bool BpeTokenizer::is_special(TokenId id) const {
  return id >= 0 && static_cast<size_t>(id) < spec_.types.size() && is_control(spec_.types[id]);
}

std::string BpeTokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  for (const TokenId id : ids) {
    if (!skip_special || !is_special(id)) bytes += token_bytes(id);
  }
  return replace_invalid_utf8(bytes);
}

}  // namespace quire
