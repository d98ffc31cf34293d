#include "grammar/grammar_budget.h"

namespace quire {

Expected<> GrammarBudget::charge(std::string_view expression, int64_t cost) {
  if (cost == 0 || has(expression)) return {};
  if (cost > kMaxGrammarCost - cost_) {
    return fail(
        ErrorCode::kInvalidArgument,
        "the parts of the grammar take too long to compile in sum: patterns, lengths, and names apart "
        "from which others may come can count {} characters, large sets of them twice",
        kMaxGrammarCost);
  }
  cost_ += cost;
  charged_.emplace(expression);
  return {};
}

Expected<> GrammarBudget::check_room(size_t bytes) const {
  if (bytes <= kMaxGrammarText - bytes_) return {};
  return fail(ErrorCode::kInvalidArgument,
              "the grammar is too large: written out it has more than {} bytes", kMaxGrammarText);
}

Expected<> GrammarBudget::write(size_t bytes) {
  if (auto room = check_room(bytes); !room) return room;
  bytes_ += bytes;
  return {};
}

Expected<> GrammarBudget::work(size_t bytes) {
  if (bytes > kMaxGrammarWork - work_bytes_) {
    return fail(ErrorCode::kInvalidArgument,
                "its grammar is too large: with all alternatives written out it has more than {} bytes",
                kMaxGrammarWork);
  }
  work_bytes_ += bytes;
  return {};
}

}  // namespace quire
