// Command-line flags out of the field tables of config and server: a new option there is a flag here.
#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "cli/flag_groups.h"
#include "config/field_table.h"

namespace quire {

// "--max-num-seqs" for "max_num_seqs".
std::string flag_name(std::string_view field_name);

// A number as a person writes it for a field of this unit: sizes with KiB, MiB or GiB (a bare number is
// bytes, or GiB for a field in GiB). Errors: not a number, not finite, not whole where `integral`.
Expected<double> parse_field_number(std::string_view text, FieldUnit unit, bool integral);

// What stands for a number in help: "TOKENS", "SIZE", ...
std::string value_name(FieldUnit unit, bool integral);

// What stands for a text in help: "fp32|fp16" where there are choices, "FILE" for a field whose name ends
// so, "FOLDER" for one in "dir", otherwise "TEXT".
std::string text_value_name(std::string_view field_name, std::string_view choices);

// A default as help shows it; empty if there is nothing to show.
std::string default_text(double value, FieldUnit unit);

namespace field_flags_detail {

// An error of the tables, in the command line's words: the field's name becomes the flag's.
[[noreturn]] void refuse(std::string_view field_name, const Error& error);
void check_choice(std::string_view field_name, std::string_view choices, const std::string& value);

template <class Struct, class Value>
void set_number(const Field<Struct>& field, Value& target, const std::string& text) {
  const auto number = parse_field_number(text, field.unit, std::is_integral_v<Value>);
  if (!number) refuse(field.name, number.error());
  if (auto checked = field.check(*number); !checked) refuse(field.name, checked.error());
  if constexpr (std::is_integral_v<Value>) {  // beyond int64_t the conversion would be undefined
    constexpr double kLimit = sizeof(Value) == 4 ? 0x1.0p31 : 0x1.0p63;
    if (!(*number >= -kLimit && *number < kLimit)) {
      refuse(field.name, Error{ErrorCode::kInvalidArgument, text + " is out of range", {}});
    }
  }
  target = static_cast<Value>(*number);
}

template <class Struct, class Member>
CLI::Option* add_flag(CLI::App& app, Struct& target, const Field<Struct>& field, Member member,
                      const std::string& names) {
  using Value = std::remove_cvref_t<decltype(target.*member)>;
  const std::string help(field.help);
  if constexpr (std::is_same_v<Value, bool>) {
    const std::string negated = "--no-" + flag_name(field.name).substr(2);
    const std::string on = target.*member ? " (default: on)" : " (default: off)";
    return app.add_flag(names + ",!" + negated, target.*member, help + on);
  } else if constexpr (std::is_same_v<Value, std::string>) {
    auto set = [&target, field, member](const std::string& text) {
      check_choice(field.name, field.choices, text);
      target.*member = text;
    };
    const std::string& fallback = target.*member;
    return app
        .add_option_function<std::string>(names, set,
                                          help + (fallback.empty() ? "" : " (default: " + fallback + ")"))
        ->type_name(text_value_name(field.name, field.choices));
  } else {
    constexpr bool kOptional = !std::is_arithmetic_v<Value>;
    using Number = typename std::conditional_t<kOptional, Value, std::optional<Value>>::value_type;
    auto set = [&target, field, member](const std::string& text) {
      Number number{};
      set_number(field, number, text);
      target.*member = number;
    };
    std::string shown = help;
    if constexpr (!kOptional) {
      shown += " (default: " + default_text(static_cast<double>(target.*member), field.unit) + ")";
    }
    return app.add_option_function<std::string>(names, set, shown)
        ->type_name(value_name(field.unit, std::is_integral_v<Number>));
  }
}

}  // namespace field_flags_detail

// Adds a flag for each field but those named in `except`, under the heading `group` or, if that is empty,
// the one that flag_groups.h has; parsing sets the member. Defaults shown are what `target` holds now; it
// outlives the parsing. A bad value becomes a CLI::ValidationError.
template <class Struct>
void add_field_flags(CLI::App& app, Struct& target, std::span<const Field<Struct>> fields,
                     const std::string& group, std::span<const std::string_view> except = {}) {
  for (const Field<Struct>& field : fields) {
    if (std::find(except.begin(), except.end(), field.name) != except.end()) continue;
    std::string names = flag_name(field.name);
    if (!field.alias.empty()) names += "," + flag_name(field.alias);
    CLI::Option* option = std::visit(
        [&](auto member) { return field_flags_detail::add_flag(app, target, field, member, names); },
        field.member);
    option->group(group.empty() ? std::string(flag_group(field.name)) : group);
  }
}

}  // namespace quire
