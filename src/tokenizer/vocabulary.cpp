#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/rng.h"
#include "tokenizer/unicode_class.h"

namespace quire {
namespace {

constexpr int kAlphabetEnd = 324;  // 256 bytes, of which the 68 unprintable ones are U+0100 to U+0143

constexpr bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// By code point: the byte it stands for, or -1.
constexpr std::array<int16_t, kAlphabetEnd> alphabet_bytes() {
  std::array<int16_t, kAlphabetEnd> bytes{};
  bytes.fill(-1);
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    bytes[stands_for_itself(byte) ? byte : next++] = static_cast<int16_t>(byte);
  }
  return bytes;
}

constexpr auto kAlphabetBytes = alphabet_bytes();

uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = bytes.size();
  while (bytes.size() > 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash = mix64(hash ^ word);
    bytes.remove_prefix(8);
  }
  uint64_t word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return mix64(hash ^ word);
}

bool is_ordinary(TokenType type) {
  return type != TokenType::kControl && type != TokenType::kUnknown && type != TokenType::kUserDefined;
}

}  // namespace

bool append_alphabet_bytes(std::string_view spelling, std::string& out) {
  const size_t before = out.size();
  for (size_t at = 0; at < spelling.size();) {
    const Character next = character_at(spelling, at);
    if (next.code >= kAlphabetEnd || kAlphabetBytes[next.code] < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(kAlphabetBytes[next.code]));
    at += next.length;
  }
  return true;
}

Expected<Vocabulary> Vocabulary::create(std::span<const std::string> spellings,
                                        std::span<const TokenType> types) {
  if (!types.empty() && types.size() != spellings.size()) {
    return fail(ErrorCode::kCorrupt, "the vocabulary has {} tokens but {} token types", spellings.size(),
                types.size());
  }
  size_t total = 0;
  for (const std::string& spelling : spellings) total += spelling.size();
  if (spellings.size() > (size_t{1} << 28) || total > std::numeric_limits<uint32_t>::max()) {
    return fail(ErrorCode::kCorrupt, "the vocabulary is too large: {} tokens, {} bytes", spellings.size(),
                total);
  }
  Vocabulary vocabulary;
  vocabulary.byte_tokens_.fill(kNoToken);
  vocabulary.blob_.reserve(total);
  vocabulary.offsets_.reserve(spellings.size() + 1);
  vocabulary.offsets_.push_back(0);
  vocabulary.slots_.resize(std::bit_ceil(2 * spellings.size() + 1));
  for (size_t i = 0; i < spellings.size(); ++i) {
    const bool ordinary = types.empty() || is_ordinary(types[i]);
    const bool in_alphabet = ordinary && append_alphabet_bytes(spellings[i], vocabulary.blob_);
    if (!in_alphabet) vocabulary.blob_ += spellings[i];
    vocabulary.offsets_.push_back(static_cast<uint32_t>(vocabulary.blob_.size()));
    if (in_alphabet && !spellings[i].empty() && !vocabulary.insert(static_cast<TokenId>(i))) {
      return fail(ErrorCode::kCorrupt, "token {} of the vocabulary is spelled like an earlier one", i);
    }
  }
  return vocabulary;
}

bool Vocabulary::insert(TokenId id) {
  const std::string_view word = bytes(id);
  const uint64_t hash = hash_bytes(word);
  const size_t mask = slots_.size() - 1;
  const uint32_t tag = static_cast<uint32_t>(hash >> 32);
  size_t slot = hash & mask;
  for (; slots_[slot].id != kNoToken; slot = (slot + 1) & mask) {
    if (slots_[slot].tag == tag && bytes(slots_[slot].id) == word) return false;
  }
  slots_[slot] = {tag, id};
  longest_ = std::max(longest_, word.size());
  if (word.size() == 1) byte_tokens_[static_cast<uint8_t>(word[0])] = id;
  return true;
}

TokenId Vocabulary::find(std::string_view word) const {
  if (word.size() > longest_) return kNoToken;
  const uint64_t hash = hash_bytes(word);
  const size_t mask = slots_.size() - 1;
  const uint32_t tag = static_cast<uint32_t>(hash >> 32);
  for (size_t slot = hash & mask; slots_[slot].id != kNoToken; slot = (slot + 1) & mask) {
    if (slots_[slot].tag == tag && bytes(slots_[slot].id) == word) return slots_[slot].id;
  }
  return kNoToken;
}

}  // namespace quire
