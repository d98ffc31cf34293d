// What one request's grammars may cost to compile, in sum over all schemas, patterns and grammars of a
// structural tag. It is reckoned before anything is compiled, since xgrammar cannot be stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

inline constexpr int64_t kMaxGrammarCost = 2048;     // of which each takes up to 5 ms
inline constexpr int64_t kRowPerCost = 10'000;       // a row of n parts costs n * n of it
inline constexpr size_t kMaxGrammarText = 1 << 20;   // bytes of EBNF that are compiled
inline constexpr size_t kMaxGrammarWork = 16 << 20;  // bytes of EBNF that are written on the way to them

// One a request, passed to whatever writes a part of its grammar. Errors: kInvalidArgument.
class GrammarBudget {
 public:
  // For an expression that takes long to compile. One that was there before is free, as it is compiled once;
  // none that is empty is.
  Expected<> charge(std::string_view expression, int64_t cost);
  // Whether it was charged for, so that it costs nothing more.
  bool has(std::string_view expression) const {
    return !expression.empty() && charged_.contains(expression);
  }
  int64_t left() const { return kMaxGrammarCost - cost_; }
  // For so many parts that may follow each other directly, as all but the first may be left out.
  Expected<> charge_row(int64_t length) { return charge({}, length * length / kRowPerCost); }
  // For bytes that go to xgrammar.
  Expected<> write(size_t bytes);
  // Whether so many may still be written.
  Expected<> check_room(size_t bytes) const;
  // For bytes that are put together, whether or not they are new.
  Expected<> work(size_t bytes);

 private:
  int64_t cost_ = 0;
  size_t bytes_ = 0;
  size_t work_bytes_ = 0;
  std::set<std::string, std::less<>> charged_;
};

}  // namespace quire
