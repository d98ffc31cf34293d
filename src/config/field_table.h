// One row a field: its name for JSON and the command line, its help, its range. Parsing, validation, help
// texts and documentation all walk these tables, so a new option is one row.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace quire {

inline constexpr double kInt32Max = std::numeric_limits<int32_t>::max();  // as the bound of a range

enum class FieldUnit { kNone, kBytes, kGibibytes, kSeconds, kMilliseconds, kTokens };

// The default is the member's initial value in a default-constructed Struct.
template <class Struct>
struct Field {
  using Member = std::variant<bool Struct::*, int32_t Struct::*, int64_t Struct::*, double Struct::*,
                              std::string Struct::*, std::optional<int32_t> Struct::*,
                              std::optional<int64_t> Struct::*>;

  std::string_view name;  // snake_case; on the command line with dashes
  Member member;
  std::string_view help;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_exclusive = false;
  FieldUnit unit = FieldUnit::kNone;
  std::string_view choices = {};  // for strings: "a|b|c"; empty means any
  std::string_view alias = {};    // a second name, or empty

  // An error that names the field and its range if `value` is outside it. NaN is outside every range.
  Expected<> check(double value) const {
    const bool low = min_exclusive ? !(value > min) : !(value >= min);
    if (!low && value <= max) return {};
    if (max == std::numeric_limits<double>::infinity()) {
      return fail_param(std::string(name), "{} must be {} {}, but is {}", name,
                        min_exclusive ? "greater than" : "at least", min, value);
    }
    return fail_param(std::string(name), "{} must be {} {} and at most {}, but is {}", name,
                      min_exclusive ? "greater than" : "at least", min, max, value);
  }

  // The same for strings and `choices`.
  Expected<> check_choice(std::string_view value) const {
    if (choices.empty()) return {};
    const std::string listed = fmt::format("|{}|", choices);
    if (!value.contains('|') && listed.contains(fmt::format("|{}|", value))) return {};
    return fail_param(std::string(name), "{} must be one of {}, but is '{}'", name, choices, value);
  }
};

}  // namespace quire
