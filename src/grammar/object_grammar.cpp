#include "grammar/object_grammar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "base/text.h"

namespace quire {
namespace {

std::unexpected<Error> not_supported(std::string_view what) {
  return fail(ErrorCode::kUnsupported, "the schema has {}, which is not supported", what);
}

bool names(const JsonSchema::Additional& additional, std::string_view property) {
  return additional.named && additional.named->contains(property);
}

bool is_false(SchemaValue schema) { return schema.is_bool() && !schema.get_bool().value_unsafe(); }

SchemaValue string_schema() {
  static simdjson::dom::parser parser;
  static const SchemaValue schema = parser.parse(std::string_view(R"({"type":"string"})"));
  return schema;
}

// The characters of a key that has no escapes, but for those in `others`.
std::string quoted_character(const std::vector<uint32_t>& others) {
  std::string out = "[^\"\\\\\\x00-\\x1f";
  for (const uint32_t c : others) fmt::format_to(std::back_inserter(out), "\\U{:08x}", c);
  return out + "]";
}

// The characters of Python's names, but for those in `others`; empty if there are no more.
std::string argument_character(bool first, const std::vector<uint32_t>& others) {
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  std::string out;
  for (const char c : kCharacters.substr(0, kCharacters.size() - (first ? 10 : 0))) {
    if (std::ranges::find(others, static_cast<uint32_t>(c)) == others.end()) out += c;
  }
  return out.empty() ? out : "[" + out + "]";
}

// Names that are none of those that were added, with what ends them: strings without escapes and the closing
// quote, or Python's names and the sign of equality. A rule for each beginning of a name, the shortest
// first, as far as there may be more of them.
class OtherKeys {
 public:
  explicit OtherKeys(ObjectForm form) : form_(form) {}

  void add(std::string_view name) {
    if (form_ == ObjectForm::kArguments && !is_argument_name(name)) return;
    // What only an escape can write is none of these strings anyway.
    const auto escaped = [](char c) { return c == '"' || c == '\\' || static_cast<uint8_t>(c) < 0x20; };
    if (std::ranges::none_of(name, escaped)) beginnings_.front().rests.push_back(name);
  }

  // The rule; empty if no name is left.
  Expected<std::string> write(EbnfRules& rules, GrammarBudget& budget) {
    // Each object takes at most a quarter of what is left, so that those after it have some, too.
    const int64_t affordable = std::max<int64_t>(budget.left() / (4 * kCostOfAny), 1);
    max_beginnings_ = std::min(kMaxNameBeginnings, static_cast<size_t>(affordable));
    for (size_t at = 0; at < beginnings_.size(); ++at) lengthen(at);
    std::string all;
    for (const auto& beginning : beginnings_) all += beginning.text + end();
    const auto charged = budget.charge(all, std::ssize(beginnings_) * kCostOfAny);
    if (!charged) return std::unexpected(charged.error());
    const std::string rest = rules.add("key", fmt::format("{}* {}", character(false, {}), end()));
    for (size_t at = beginnings_.size(); at-- > 0;)
      beginnings_[at].rule = write(beginnings_[at], rest, rules);
    return beginnings_.front().rule;
  }

 private:
  struct Beginning {
    std::string text = {};
    std::vector<std::string_view> rests = {};  // of the names that begin so
    bool ends = false;                         // it is a name
    std::map<uint32_t, size_t> next = {};      // places of the beginnings that are longer by a character
    std::string rule = {};
  };
  static constexpr size_t kNone = SIZE_MAX;  // no place: there are too many

  std::string end() const { return form_ == ObjectForm::kBraces ? "\"\\\"\"" : "\"=\""; }
  std::string character(bool first, const std::vector<uint32_t>& others) const {
    return form_ == ObjectForm::kBraces ? quoted_character(others) : argument_character(first, others);
  }

  void lengthen(size_t at) {
    std::map<uint32_t, std::vector<std::string_view>> longer;
    for (const std::string_view rest : beginnings_[at].rests) {
      size_t length = 0;
      if (rest.empty()) {
        beginnings_[at].ends = true;
      } else {
        const uint32_t c = next_code_point(rest, length);
        longer[c].push_back(rest.substr(std::min(length, rest.size())));
      }
    }
    for (auto& [c, rests] : longer) {
      const bool room = beginnings_.size() < max_beginnings_;
      beginnings_[at].next[c] = room ? beginnings_.size() : kNone;
      if (!room) continue;
      std::string text = beginnings_[at].text;
      append_utf8(c, text);
      beginnings_.push_back({.text = std::move(text), .rests = std::move(rests)});
    }
  }

  std::string write(const Beginning& beginning, const std::string& rest, EbnfRules& rules) const {
    std::vector<std::string> options;
    std::vector<uint32_t> known;
    const bool first = beginning.text.empty();
    const bool nameless = first && form_ == ObjectForm::kArguments;
    if (!beginning.ends && !nameless) options.push_back(end());
    for (const auto& [c, place] : beginning.next) {
      known.push_back(c);
      if (place == kNone || beginnings_[place].rule.empty()) continue;
      std::string text;
      append_utf8(c, text);
      options.push_back(ebnf_literal(text) + " " + beginnings_[place].rule);
    }
    if (const std::string others = character(first, known); !others.empty()) {
      options.push_back(others + " " + rest);
    }
    return options.empty() ? std::string() : rules.add("key", ebnf_choice(options));
  }

  const ObjectForm form_;
  std::vector<Beginning> beginnings_ = std::vector<Beginning>(1);
  size_t max_beginnings_ = kMaxNameBeginnings;
};

class ObjectGrammar {
 public:
  ObjectGrammar(const JsonSchema& schema, EbnfRules& rules, GrammarBudget& budget, ValueGrammar value,
                ObjectForm form, Strictness strictness)
      : schema_(schema),
        rules_(rules),
        budget_(budget),
        value_(value),
        form_(form),
        lenient_(strictness == Strictness::kLenient) {}

  Expected<std::string> write() {
    if (auto made = make_members(); !made) return std::unexpected(made.error());
    if (auto made = make_others(); !made) return std::unexpected(made.error());
    if (auto counted = check_counts(); !counted) return std::unexpected(counted.error());
    const auto num_optional = std::ssize(members_) - std::ranges::count_if(members_, &Member::required);
    if (auto row = budget_.charge_row(num_optional); !row) return std::unexpected(row.error());
    const std::string members = some_members();
    const bool may_be_empty = !others_must_come_ && std::ranges::none_of(members_, &Member::required);
    if (form_ == ObjectForm::kArguments) {
      return rules_.add("arguments", members.empty() ? "\"\""
                                     : may_be_empty  ? "(" + members + ")?"
                                                     : members);
    }
    if (members.empty()) return rules_.add("object", "\"{\" json_blank \"}\"");
    const std::string some = members + " json_blank";
    const std::string inside = may_be_empty ? "(" + some + ")?" : some;
    return rules_.add("object", "\"{\" json_blank " + inside + " \"}\"");
  }

 private:
  struct Member {
    std::string expression;
    bool required = false;
  };

  // The conjunction for a property, or none if it may not be there.
  std::optional<Conjunction> schemas_of(const SchemaProperty& property) const {
    Conjunction all = property.schemas;
    for (const auto& additional : schema_.additional) {
      const bool known =
          names(additional, property.name) || (additional.after_all && !property.schemas.empty());
      if (known) continue;
      if (is_false(additional.schema)) return std::nullopt;
      all.push_back(additional.schema);
    }
    if (std::ranges::any_of(property.schemas, is_false)) return std::nullopt;
    return all;
  }

  Expected<> make_members() {
    for (const auto& property : schema_.properties) {
      const auto schemas = schemas_of(property);
      if (!schemas) {
        if (!property.required) continue;
        return fail(ErrorCode::kInvalidArgument,
                    "the schema requires the property '{}', which it does not allow",
                    property.name.substr(0, 64));
      }
      if (property.schemas.empty() && !property.required) continue;
      auto expression = schemas->empty() ? Expected<std::string>("json_value") : value_(*schemas);
      if (!expression) return std::unexpected(expression.error());
      auto key = key_of(property.name);
      if (!key) return std::unexpected(key.error());
      members_.push_back({*key + " " + *expression, property.required});
    }
    return {};
  }

  // What stands before a value.
  Expected<std::string> key_of(std::string_view name) const {
    if (form_ == ObjectForm::kBraces) {
      std::string key;
      for (size_t at = 0; at < name.size();) append_json(next_code_point(name, at), key);
      return ebnf_literal('"' + key + '"') + " json_colon";
    }
    if (!is_argument_name(name)) return no_argument_name(name);
    return ebnf_literal(std::string(name) + "=");
  }

  static void append_json(uint32_t c, std::string& out) {
    if (c == '"' || c == '\\') out += '\\';
    if (c < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      append_utf8(c, out);
    }
  }

  // Properties that the schema does not name: none if it names some and says nothing of others.
  Expected<> make_others() {
    if (schema_.additional.empty() && schema_.has_properties) return {};
    Conjunction schemas;
    for (const auto& additional : schema_.additional) {
      if (is_false(additional.schema)) return {};
      schemas.push_back(additional.schema);
    }
    auto expression = schemas.empty() ? Expected<std::string>("json_value") : value_(schemas);
    if (!expression) return std::unexpected(expression.error());
    auto key = other_key();
    if (!key) return std::unexpected(key.error());
    if (!key->empty()) other_ = rules_.add("other", *key + " " + *expression);
    return {};
  }

  // What stands before a value; empty if there is no name that it could have.
  Expected<std::string> other_key() {
    const bool braces = form_ == ObjectForm::kBraces;
    const bool names_can_be_kept = braces && schema_.properties.empty();
    if (!schema_.names.empty() && (names_can_be_kept || !lenient_)) {
      if (!braces) return not_supported("propertyNames for the arguments of a call in Python");
      if (!schema_.properties.empty()) return not_supported("propertyNames beside properties");
      Conjunction names = schema_.names;
      names.push_back(string_schema());
      auto name = value_(names);
      return name ? *name + " json_colon" : name;
    }
    if (schema_.properties.empty() && braces) return "json_string json_colon";
    OtherKeys keys(form_);
    for (const auto& property : schema_.properties) keys.add(property.name);
    auto others = keys.write(rules_, budget_);
    if (!others || !braces) return others;
    return "\"\\\"\" " + *others + " json_colon";
  }

  // Names may come twice, so counting members bounds their number from above only.
  Expected<> check_counts() {
    const auto num_required = std::ranges::count_if(members_, &Member::required);
    const auto [least, most] = schema_.num_properties;
    if (least > num_required) {
      const bool can_be_kept = least == 1 && !other_.empty() && members_.empty();
      if (!can_be_kept && !lenient_) {
        return not_supported("a minProperties above the number of required properties");
      }
      others_must_come_ = can_be_kept;
    }
    if (most == kNoLimit) return {};
    if (other_.empty()) {
      if (std::ssize(members_) > most && !lenient_) {
        return not_supported("a maxProperties below the number of properties");
      }
      return {};
    }
    if (members_.empty()) {
      most_others_ = most;
    } else if (!lenient_) {
      return not_supported("maxProperties beside properties and additionalProperties");
    }
    return {};
  }

  std::string other_tail() const {
    return other_.empty() ? std::string() : fmt::format("(json_comma {})*", other_);
  }

  // At least one member; empty if there can be none.
  std::string some_members() {
    if (members_.empty()) {
      if (other_.empty() || most_others_ == 0) return {};
      return fmt::format("{} {}", other_,
                         most_others_ == 1
                             ? ""
                             : ebnf_repeat("json_comma " + other_, 0,
                                           most_others_ == kNoLimit ? kNoLimit : most_others_ - 1));
    }
    // What may follow member i once a member stands before it.
    std::vector<std::string> tails(members_.size() + 1);
    tails.back() = other_tail();
    for (size_t i = members_.size(); i-- > 1;) {
      const Member& member = members_[i];
      const std::string own = "json_comma " + member.expression;
      tails[i] = rules_.add("members", (member.required ? own : "(" + own + ")?") + " " + tails[i + 1]);
    }
    std::vector<std::string> options;
    for (size_t i = 0; i < members_.size(); ++i) {
      options.push_back(members_[i].expression + " " + tails[i + 1]);
      if (members_[i].required) return ebnf_choice(options);
    }
    if (!other_.empty()) options.push_back(other_ + " " + other_tail());
    return ebnf_choice(options);
  }

  const JsonSchema& schema_;
  EbnfRules& rules_;
  GrammarBudget& budget_;
  ValueGrammar value_;
  const ObjectForm form_;
  const bool lenient_;
  std::vector<Member> members_;
  std::string other_;  // the rule of a member that the schema does not name; empty: there are none
  int64_t most_others_ = kNoLimit;
  bool others_must_come_ = false;
};

}  // namespace

Expected<std::string> object_ebnf(const JsonSchema& schema, EbnfRules& rules, GrammarBudget& budget,
                                  ValueGrammar value, ObjectForm form, Strictness strictness) {
  return ObjectGrammar(schema, rules, budget, value, form, strictness).write();
}

bool is_argument_name(std::string_view name) {
  const auto belongs = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  };
  return !name.empty() && std::ranges::all_of(name, belongs);
}

std::unexpected<Error> no_argument_name(std::string_view name) {
  name = name.substr(0, std::min<size_t>(name.size(), 64));
  return fail(ErrorCode::kInvalidArgument,
              "the schema has the property '{}', which cannot be the name of an argument where calls are "
              "written in Python: these have letters, digits, _ and -",
              name.substr(0, complete_utf8_length(name)));
}

}  // namespace quire
