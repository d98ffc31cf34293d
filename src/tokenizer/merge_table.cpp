#include "tokenizer/merge_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <limits>

#include "base/check.h"

namespace quire {
namespace {

// Up to here, finding the lowest rank by looking at all of them beats a heap.
constexpr size_t kShortWord = 32;

}  // namespace

Expected<MergeTable> MergeTable::create(std::span<const std::string> merges, const Vocabulary& vocabulary) {
  if (merges.size() > size_t{1} << 28) {
    return fail(ErrorCode::kCorrupt, "the vocabulary has too many merges: {}", merges.size());
  }
  MergeTable table;
  const size_t num_slots = std::bit_ceil(std::max<size_t>(2 * merges.size(), 2));
  table.slots_.resize(num_slots);
  table.shift_ = 64 - std::countr_zero(num_slots);
  std::string bytes;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view merge = merges[rank];
    const size_t space = merge.find(' ');
    bytes.clear();
    if (space == std::string_view::npos || !append_alphabet_bytes(merge.substr(0, space), bytes)) {
      return fail(ErrorCode::kCorrupt, "merge {} is not two tokens with a space between", rank);
    }
    const size_t left_bytes = bytes.size();
    if (!append_alphabet_bytes(merge.substr(space + 1), bytes) || left_bytes == 0 ||
        left_bytes == bytes.size()) {
      return fail(ErrorCode::kCorrupt, "merge {} is not two tokens with a space between", rank);
    }
    const std::string_view whole = bytes;
    const TokenId left = vocabulary.find(whole.substr(0, left_bytes));
    const TokenId right = vocabulary.find(whole.substr(left_bytes));
    const TokenId result = vocabulary.find(whole);
    if (left == kNoToken || right == kNoToken || result == kNoToken) {
      return fail(ErrorCode::kCorrupt, "merge {} has a part or a result that is not in the vocabulary",
                  rank);
    }
    if (!table.insert(pair_of(left, right), {static_cast<uint32_t>(rank), result})) {
      return fail(ErrorCode::kCorrupt, "merge {} repeats an earlier one", rank);
    }
  }
  return table;
}

bool MergeTable::insert(uint64_t pair, Merge merge) {
  const size_t mask = slots_.size() - 1;
  size_t slot = first_slot(pair);
  for (; slots_[slot].pair != kEmpty; slot = (slot + 1) & mask) {
    if (slots_[slot].pair == pair) return false;
  }
  slots_[slot] = {pair, merge};
  return true;
}

MergeTable::Merge MergeTable::find(TokenId left, TokenId right) const {
  const uint64_t pair = pair_of(left, right);
  const size_t mask = slots_.size() - 1;
  for (size_t slot = first_slot(pair); slots_[slot].pair != kEmpty; slot = (slot + 1) & mask) {
    if (slots_[slot].pair == pair) return slots_[slot].merge;
  }
  return {};
}

void MergeTable::encode_word(std::string_view word, const Vocabulary& vocabulary,
                             std::vector<TokenId>& out) const {
  std::array<TokenId, kShortWord> few;
  std::vector<TokenId> many;
  for (; !word.empty(); word.remove_prefix(std::min(word.size(), kMaxWordBytes))) {
    const std::string_view piece = word.substr(0, kMaxWordBytes);
    std::span<TokenId> symbols = few;
    if (piece.size() > kShortWord) {
      many.resize(piece.size());
      symbols = many;
    }
    size_t count = 0;
    for (const char c : piece) {
      const TokenId id = vocabulary.byte_token(static_cast<uint8_t>(c));
      if (id != kNoToken) symbols[count++] = id;
    }
    if (count <= kShortWord) {
      merge_short(symbols.first(count), out);
    } else {
      merge_long(symbols.first(count), out);
    }
  }
}

void MergeTable::merge_short(std::span<TokenId> symbols, std::vector<TokenId>& out) const {
  size_t count = symbols.size();
  std::array<Merge, kShortWord> merges;  // merges[i]: of symbols i and i + 1
  for (size_t i = 0; i + 1 < count; ++i) merges[i] = find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == kNoRank) break;
    symbols[best] = merges[best].result;
    --count;
    std::copy(symbols.begin() + best + 2, symbols.begin() + count + 1, symbols.begin() + best + 1);
    if (best + 1 < count) {
      std::copy(merges.begin() + best + 2, merges.begin() + count, merges.begin() + best + 1);
      merges[best] = find(symbols[best], symbols[best + 1]);
    }
    if (best > 0) merges[best - 1] = find(symbols[best - 1], symbols[best]);
  }
  out.insert(out.end(), symbols.begin(), symbols.begin() + count);
}

// A heap of candidates over a linked list. A candidate is stale when the pair at its place has another rank
// by now: ranks name pairs, and a place never sees the same pair twice, because its tokens only grow.
void MergeTable::merge_long(std::span<const TokenId> ids, std::vector<TokenId>& out) const {
  constexpr uint32_t kEnd = ~uint32_t{0};
  CHECK(ids.size() < kEnd);
  struct Symbol {
    TokenId id;
    uint32_t previous, next;
    uint32_t rank;  // of the pair that starts here; kNoRank also once it was merged into the symbol before
  };
  const uint32_t count = static_cast<uint32_t>(ids.size());
  std::vector<Symbol> symbols(count);
  std::vector<uint64_t> heap;  // rank, then place: the lowest first, then the leftmost
  const auto rank_pair_at = [&](uint32_t at) {
    Symbol& symbol = symbols[at];
    symbol.rank = symbol.next == kEnd ? kNoRank : find(symbol.id, symbols[symbol.next].id).rank;
    if (symbol.rank != kNoRank) heap.push_back(uint64_t{symbol.rank} << 32 | at);
    return symbol.rank != kNoRank;
  };
  for (uint32_t i = 0; i < count; ++i) symbols[i] = {ids[i], i - 1, i + 1 < count ? i + 1 : kEnd, kNoRank};
  for (uint32_t i = 0; i < count; ++i) rank_pair_at(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint32_t rank = static_cast<uint32_t>(heap.back() >> 32);
    const uint32_t at = static_cast<uint32_t>(heap.back());
    heap.pop_back();
    Symbol& left = symbols[at];
    if (left.rank != rank) continue;
    Symbol& right = symbols[left.next];
    left.id = find(left.id, right.id).result;
    right.rank = kNoRank;
    left.next = right.next;
    if (left.next != kEnd) symbols[left.next].previous = at;
    if (rank_pair_at(at)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
    if (at > 0 && rank_pair_at(left.previous)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
  for (uint32_t at = 0; at != kEnd; at = symbols[at].next) out.push_back(symbols[at].id);
}

}  // namespace quire
