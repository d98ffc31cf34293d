#include <algorithm>
#include <bitset>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "grammar/regex.h"

namespace quire {
namespace {

constexpr int64_t kLargeSet = 64;     // characters
constexpr int32_t kTokenLength = 12;  // characters of a long token

// A bit for each character of the pattern with its repetitions written out.
using Places = std::bitset<static_cast<size_t>(kMaxRegexSize)>;

// Glushkov's automaton: which place may follow which.
class PlaceAutomaton {
 public:
  explicit PlaceAutomaton(const RegexNode& node) {
    add(node);
    std::map<const CodePointSet*, Places> places;  // of each set; copies of a repetition share it
    for (size_t place = 0; place < sets_.size(); ++place) places[sets_[place]].set(place);
    std::set<uint32_t> firsts;  // of ranges
    for (const auto& [set, at] : places) {
      for (const auto& range : *set) firsts.insert(range.first);
    }
    std::unordered_set<Places> seen;
    for (const uint32_t c : firsts) {
      const Places with = places_with(c, places);
      if (seen.insert(with).second) with_.push_back(with);
    }
  }

  // From each place, how many places a token may be at with each of its characters. Where a place follows
  // itself, xgrammar takes its set as a whole.
  int64_t cost() {
    int64_t total = 0;
    for (size_t place = 0; place < sets_.size(); ++place) {
      int64_t at_once = 0;
      Places now;
      now.set(place);
      const int32_t length = follow_[place].test(place) ? 0 : kTokenLength;
      for (int32_t i = 0; i < length && now.any(); ++i) {
        now = most_after(now);
        at_once += static_cast<int64_t>(now.count());
      }
      total += std::max<int64_t>(at_once, kTokenLength) * (is_large(*sets_[place]) ? kCostOfAny : 1);
    }
    return (total + kTokenLength - 1) / kTokenLength;
  }

 private:
  struct Part {
    Places first = {}, last = {};
    bool may_be_empty = true;
  };

  static bool is_large(const CodePointSet& set) {
    int64_t count = 0;
    for (const auto& [first, last] : set) count += int64_t{last} - first + 1;
    return count > kLargeSet;
  }

  Part add(const RegexNode& node) {
    Part part;
    switch (node.kind) {
      case RegexNode::Kind::kSet:
        part.first.set(sets_.size());
        sets_.push_back(&node.set);
        follow_.emplace_back();
        return {part.first, part.first, false};
      case RegexNode::Kind::kRepeat: return add_repeat(node);
      case RegexNode::Kind::kSequence:
        for (const auto& child : node.children) part = joined(part, add(child));
        return part;
      case RegexNode::Kind::kChoice: break;
    }
    part.may_be_empty = false;
    for (const auto& child : node.children) {
      const Part option = add(child);
      part.first |= option.first;
      part.last |= option.last;
      part.may_be_empty |= option.may_be_empty;
    }
    return part;
  }

  // (a(a(a)?)?)? and the like, from its end.
  Part add_repeat(const RegexNode& node) {
    Part part;
    if (node.most == 0) return part;
    const int64_t copies = std::max<int64_t>({node.least, node.most, 1});
    for (int64_t copy = copies; copy > 0; --copy) {
      const Part one = add(node.children.front());
      if (copy == copies && node.most == kNoLimit) link(one.last, one.first);
      part = joined(one, part);
      part.may_be_empty |= copy > node.least;
    }
    return part;
  }

  Part joined(const Part& a, const Part& b) {
    link(a.last, b.first);
    return {a.may_be_empty ? a.first | b.first : a.first, b.may_be_empty ? a.last | b.last : b.last,
            a.may_be_empty && b.may_be_empty};
  }

  void link(const Places& from, const Places& to) {
    for (size_t place = 0; place < sets_.size(); ++place) {
      if (from.test(place)) follow_[place] |= to;
    }
  }

  // Ranges of a set ascend and part.
  static bool has(const CodePointSet& set, uint32_t c) {
    const auto after = std::ranges::upper_bound(set, c, {}, &CodePointRange::first);
    return after != set.begin() && c <= std::prev(after)->last;
  }

  static Places places_with(uint32_t c, const std::map<const CodePointSet*, Places>& places) {
    Places with;
    for (const auto& [set, at] : places) {
      if (has(*set, c)) with |= at;
    }
    return with;
  }

  // After the character that leads to most places. One of those at which a range begins is in as many sets
  // as any.
  const Places& most_after(const Places& now) {
    Places all;
    for (size_t place = 0; place < sets_.size(); ++place) {
      if (now.test(place)) all |= follow_[place];
    }
    const auto [known, fresh] = most_of_.try_emplace(all);
    Places& most = known->second;
    if (!fresh) return most;
    for (const Places& with : with_) {
      const Places after = all & with;
      if (after.count() > most.count()) most = after;
    }
    return most;
  }

  std::vector<const CodePointSet*> sets_;       // by place
  std::vector<Places> follow_;                  // by place
  std::unordered_map<Places, Places> most_of_;  // by all places that may follow
  std::vector<Places> with_;  // of each character at which a range begins; no two the same
};

}  // namespace

int64_t cost_of(const RegexNode& node) { return PlaceAutomaton(node).cost(); }

}  // namespace quire
