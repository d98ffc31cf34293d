#include "grammar/number_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace quire {
namespace {

constexpr int64_t kLargest = 999'999'999'999'999;                       // kMaxIntegerDigits nines
constexpr int64_t kLargestOfAll = std::numeric_limits<int64_t>::max();  // that a bound may lead to
static_assert(std::numeric_limits<long double>::digits >= std::numeric_limits<int64_t>::digits);
constexpr int32_t kFractionDigits = 6;  // that bounded numbers may have, unless the bounds have more

std::string digit_class(char first, char last) {
  return first == last ? fmt::format("\"{}\"", first) : fmt::format("[{}-{}]", first, last);
}

// Alternatives of a sum; no alternatives: nothing.
using Options = std::vector<std::string>;

// Digit strings of one length from `low` to `high`.
void add_digits(std::string_view low, std::string_view high, const std::string& prefix, Options& out) {
  const std::string lead = prefix.empty() ? std::string() : fmt::format("\"{}\" ", prefix);
  const auto all = [](std::string_view text, char c) { return text.find_first_not_of(c) == text.npos; };
  if (low == high) {
    out.push_back(fmt::format("\"{}{}\"", prefix, low));
    return;
  }
  const auto rest = low.size() - 1;
  const auto free = [&](char first, char last) {
    const std::string tail = rest == 0 ? "" : fmt::format(" [0-9]{{{},{}}}", rest, rest);
    out.push_back(fmt::format("{}{}{}", lead, digit_class(first, last), tail));
  };
  char first = low[0], last = high[0];
  if (first == last) return add_digits(low.substr(1), high.substr(1), prefix + first, out);
  if (!all(low.substr(1), '0')) {
    add_digits(low.substr(1), std::string(rest, '9'), prefix + first, out);
    ++first;
  }
  const bool whole = all(high.substr(1), '9');
  if (!whole) --last;
  if (first <= last) free(first, last);
  if (!whole) add_digits(std::string(rest, '0'), high.substr(1), prefix + high[0], out);
}

// 0 <= low <= high.
Options natural_options(int64_t low, int64_t high) {
  Options out;
  if (low <= 1 && high == kLargest) {
    const std::string positive = fmt::format("[1-9] [0-9]{{0,{}}}", kMaxIntegerDigits - 1);
    return low == 1 ? Options{positive} : Options{"\"0\"", positive};
  }
  while (low <= high) {
    const std::string text = std::to_string(low);
    const bool may_be_longer = text.size() < std::to_string(kLargestOfAll).size();
    const int64_t longest = may_be_longer ? std::stoll(std::string(text.size(), '9')) : kLargestOfAll;
    const int64_t end = std::min(longest, high);
    add_digits(text, std::to_string(end), "", out);
    if (end == high) break;
    low = end + 1;
  }
  return out;
}

std::string either(const Options& options) { return ebnf_choice(options); }

// A finite decimal, not negative: digits before and after the point, without needless zeros.
struct Decimal {
  int64_t whole = 0;
  std::string fraction = {};
};

Expected<Decimal> to_decimal(long double bound) {
  const auto value = static_cast<double>(bound);
  std::array<char, 400> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  const std::string_view digits(text.data(), static_cast<size_t>(end - text.data()));
  const size_t point = std::min(digits.find('.'), digits.size());
  Decimal decimal;
  if (point < digits.size()) decimal.fraction = digits.substr(point + 1);
  if (point > kMaxIntegerDigits || point + decimal.fraction.size() > 16) {
    return fail(ErrorCode::kUnsupported, "a bound takes at most {} digits, but {} has more",
                kMaxIntegerDigits, value);
  }
  std::from_chars(digits.data(), digits.data() + point, decimal.whole);
  return decimal;
}

// What may follow "0." so that it lies within bounds: a digit at a time.
struct FractionBounds {
  std::string low = {};    // digits
  bool above_low = false;  // itself is out
  bool has_high = false;
  std::string high = {};
  bool below_high = false;
};

bool is_zero(std::string_view digits) { return digits.find_first_not_of('0') == digits.npos; }

// Appends the alternatives for at most `room` digits after `prefix`, which may also be none.
void add_fraction(const FractionBounds& bounds, int32_t room, const std::string& prefix, Options& out) {
  const bool free_below = bounds.low.empty() && !bounds.above_low;
  const std::string lead = prefix.empty() ? std::string() : fmt::format("\"{}\" ", prefix);
  if (free_below && !bounds.has_high) {
    out.push_back(room == 0 ? fmt::format("\"{}\"", prefix) : fmt::format("{}[0-9]{{0,{}}}", lead, room));
    return;
  }
  // No further digit: what follows is zero.
  const bool zero_fits_low = is_zero(bounds.low) && !bounds.above_low;
  const bool zero_fits_high = !bounds.has_high || !is_zero(bounds.high) || !bounds.below_high;
  if (zero_fits_low && zero_fits_high) out.push_back(fmt::format("\"{}\"", prefix));
  if (room == 0) return;
  const char low = bounds.low.empty() ? '0' : bounds.low[0];
  const char high = !bounds.has_high ? '9' : bounds.high.empty() ? '0' : bounds.high[0];
  const auto rest = [](const std::string& digits) { return digits.empty() ? digits : digits.substr(1); };
  for (char digit = low; digit <= high; ++digit) {
    FractionBounds next;
    const bool on_low = digit == low && !free_below;
    if (on_low) next.low = rest(bounds.low), next.above_low = bounds.above_low;
    const bool on_high = bounds.has_high && digit == high;
    if (on_high) next.has_high = true, next.high = rest(bounds.high), next.below_high = bounds.below_high;
    if (on_low || on_high) {
      add_fraction(next, room - 1, prefix + digit, out);
      continue;
    }
    const char last = bounds.has_high ? static_cast<char>(high - 1) : high;  // a run of digits alike
    const std::string tail = room == 1 ? "" : fmt::format(" [0-9]{{0,{}}}", room - 1);
    out.push_back(fmt::format("{}{}{}", lead, digit_class(digit, last), tail));
    digit = last;
  }
}

// Numbers with this whole part whose fraction lies within bounds.
void add_with_fraction(int64_t whole, const FractionBounds& bounds, int32_t room, Options& out) {
  Options fractions;
  add_fraction(bounds, room, "", fractions);
  // JSON wants a digit after a point, so "no digit" means no point.
  const bool bare = std::erase(fractions, "\"\"") > 0;
  const bool free = !bounds.has_high && bounds.low.empty() && !bounds.above_low;
  if (free) {
    out.push_back(fmt::format("\"{}\" (\".\" [0-9]{{1,{}}})?", whole, room));
    return;
  }
  if (bare) out.push_back(fmt::format("\"{}\"", whole));
  if (!fractions.empty()) out.push_back(fmt::format("\"{}.\" {}", whole, either(fractions)));
}

// Numbers that are not negative, from `low` to `high`; without `high` as long as there are digits.
Options decimal_options(const Decimal& low, bool above_low, const Decimal* high, bool below_high) {
  const int64_t largest = high != nullptr ? high->whole : kLargest;
  const auto high_digits = static_cast<int32_t>(high != nullptr ? high->fraction.size() : 0);
  const auto low_digits = static_cast<int32_t>(low.fraction.size());
  const int32_t digits_left =
      high == nullptr ? kMaxIntegerDigits : 16 - static_cast<int32_t>(std::to_string(largest).size());
  // One more than the bounds have, so that something lies between and above them.
  const int32_t wanted = std::max({kFractionDigits, low_digits + 1, high_digits + 1});
  const int32_t room = std::max(1, std::min(wanted, digits_left));
  Options out;
  const bool low_is_whole = low.fraction.empty() && !above_low;
  int64_t first = low.whole;
  if (!low_is_whole || (high != nullptr && largest == low.whole)) {
    FractionBounds bounds{.low = low.fraction, .above_low = above_low};
    const bool both = high != nullptr && largest == low.whole;
    if (both) bounds.has_high = true, bounds.high = high->fraction, bounds.below_high = below_high;
    add_with_fraction(low.whole, bounds, room, out);
    if (both) return out;
    ++first;
  }
  const int64_t last = high != nullptr ? largest - 1 : largest;
  if (first <= last) {
    out.push_back(fmt::format("{} (\".\" [0-9]{{1,{}}})?", either(natural_options(first, last)), room));
  }
  if (high != nullptr) {
    add_with_fraction(largest, {.has_high = true, .high = high->fraction, .below_high = below_high}, room,
                      out);
  }
  return out;
}

std::unexpected<Error> nothing_between() {
  return fail(ErrorCode::kInvalidArgument, "no number lies between its bounds");
}

std::string with_minus(const Options& options) { return "\"-\" " + either(options); }

}  // namespace

void NumberBounds::raise_least(long double value, bool exclusive) {
  if (least && (*least > value || (*least == value && above_least))) return;
  least = value;
  above_least = exclusive;
}

void NumberBounds::lower_most(long double value, bool exclusive) {
  if (most && (*most < value || (*most == value && below_most))) return;
  most = value;
  below_most = exclusive;
}

Expected<std::string> number_ebnf(const NumberBounds& bounds) {
  if (!bounds.least && !bounds.most) {
    return fmt::format(
        "(\"-\"? (\"0\" | [1-9] [0-9]{{0,{}}}) (\".\" [0-9]{{1,15}})? ([eE] [+\\-]? [0-9]{{1,2}})?)",
        kMaxIntegerDigits - 1);
  }
  Options options;
  // A bound far out is none: what is written never reaches it.
  const bool has_most = bounds.most && *bounds.most < static_cast<double>(kLargest);
  const bool has_least = bounds.least && *bounds.least > -static_cast<double>(kLargest);
  if (!bounds.least || *bounds.least < 0) {  // -high .. -low of what is written after the minus
    const bool up_to_zero = !bounds.most || *bounds.most >= 0;
    auto low = to_decimal(up_to_zero ? 0 : -*bounds.most);
    auto high = to_decimal(has_least ? -*bounds.least : 0);
    if (!low) return std::unexpected(low.error());
    if (!high) return std::unexpected(high.error());
    const Options below = decimal_options(*low, up_to_zero || bounds.below_most,
                                          has_least ? &*high : nullptr, bounds.above_least);
    if (!below.empty()) options.push_back(with_minus(below));
  }
  if (!bounds.most || *bounds.most > 0 || (*bounds.most == 0 && !bounds.below_most)) {
    const bool from_zero = !bounds.least || *bounds.least < 0;
    auto low = to_decimal(from_zero ? 0 : *bounds.least);
    auto high = to_decimal(has_most ? *bounds.most : 0);
    if (!low) return std::unexpected(low.error());
    if (!high) return std::unexpected(high.error());
    const bool crossed = has_most && !from_zero && *bounds.least > *bounds.most;
    if (!crossed) {
      const Options above = decimal_options(*low, !from_zero && bounds.above_least,
                                            has_most ? &*high : nullptr, bounds.below_most);
      if (!above.empty()) options.push_back(either(above));
    }
  }
  if (bounds.least && bounds.most && *bounds.least > *bounds.most) return nothing_between();
  if (options.empty()) return nothing_between();
  return either(options);
}

namespace {

// The digits that may follow `remainder` and lead to a rule, each rule once.
std::string digits_to(const std::vector<std::string>& rules, int64_t remainder, int64_t first_digit) {
  const auto modulus = std::ssize(rules);
  std::map<std::string, std::string> digits;
  for (int64_t digit = first_digit; digit < 10; ++digit) {
    const std::string& rule = rules[static_cast<size_t>((remainder * 10 + digit) % modulus)];
    if (!rule.empty()) digits[rule] += static_cast<char>('0' + digit);
  }
  Options options;
  for (const auto& [rule, set] : digits) {
    options.push_back(fmt::format(fmt::runtime(set.size() == 1 ? "\"{}\" {}" : "[{}] {}"), set, rule));
  }
  return options.empty() ? std::string() : either(options);
}

// The automaton of multiples (Hopcroft and Ullman), with a rule for each remainder and number of digits that
// may still come.
std::string modulus_rules(int64_t modulus, EbnfRules& rules) {
  std::vector<std::string> next(static_cast<size_t>(modulus));  // empty: no multiple is left
  next[0] = rules.add("multiple", "\"\"");
  for (int32_t left = 1; left < kMaxIntegerDigits; ++left) {
    std::vector<std::string> names(next.size());
    for (int64_t remainder = 0; remainder < modulus; ++remainder) {
      const std::string digits = digits_to(next, remainder, 0);
      const bool whole = remainder == 0;
      if (digits.empty()) continue;
      names[static_cast<size_t>(remainder)] =
          rules.add("multiple", whole ? "(\"\" | " + digits + ")" : digits);
    }
    next = std::move(names);
  }
  return fmt::format("(\"0\" | \"-\"? {})", digits_to(next, 0, 1));
}

Expected<std::string> multiples(int64_t least, int64_t most, int64_t step) {
  Options options;
  const int64_t remainder = least % step;
  const int64_t further = remainder > 0 ? step - remainder : -remainder;
  if (least > 0 && further > kLargestOfAll - least) return nothing_between();
  for (int64_t value = least + further; value <= most; value += step) {
    if (std::ssize(options) == kMaxMultiples) {
      return fail(ErrorCode::kUnsupported, "multipleOf takes at most {} values between its bounds",
                  kMaxMultiples);
    }
    options.push_back(fmt::format("\"{}\"", value));
    if (value > 0 && step > kLargestOfAll - value) break;
  }
  if (options.empty()) return nothing_between();
  return either(options);
}

struct IntegerRange {
  int64_t least = 0, most = 0;
};

// Where there is no bound, and where one is too far out, kMaxIntegerDigits are the end, unless the other
// bound lies beyond.
Expected<IntegerRange> integers_within(const NumberBounds& bounds) {
  constexpr auto kEnd = static_cast<long double>(kLargestOfAll);
  const long double low = !bounds.least        ? -HUGE_VALL
                          : bounds.above_least ? std::floor(*bounds.least) + 1
                                               : std::ceil(*bounds.least);
  const long double high = !bounds.most        ? HUGE_VALL
                           : bounds.below_most ? std::ceil(*bounds.most) - 1
                                               : std::floor(*bounds.most);
  if (low > high) return nothing_between();
  if (low > kEnd || high < -kEnd) {
    return fail(ErrorCode::kUnsupported,
                "its bounds leave no integer of 64 bits: those beyond {} are not supported", kLargestOfAll);
  }
  IntegerRange range;
  range.least = low >= -kEnd ? static_cast<int64_t>(low) : high < -kLargest ? -kLargestOfAll : -kLargest;
  range.most = high <= kEnd ? static_cast<int64_t>(high) : low > kLargest ? kLargestOfAll : kLargest;
  return range;
}

}  // namespace

Expected<std::string> integer_ebnf(const NumberBounds& bounds, int64_t multiple_of, EbnfRules& rules) {
  const auto range = integers_within(bounds);
  if (!range) return std::unexpected(range.error());
  const auto [least, most] = *range;
  if (multiple_of > 1) {
    const bool unbounded = least == -kLargest && most == kLargest;
    if (!unbounded) return multiples(least, most, multiple_of);
    if (multiple_of <= kMaxModulus) return modulus_rules(multiple_of, rules);
    return fail(ErrorCode::kUnsupported, "multipleOf above {} needs a minimum and a maximum beside it",
                kMaxModulus);
  }
  Options options;
  if (least < 0) options.push_back(with_minus(natural_options(std::max<int64_t>(-most, 1), -least)));
  if (most >= 0) options.push_back(either(natural_options(std::max<int64_t>(least, 0), most)));
  return either(options);
}

}  // namespace quire
