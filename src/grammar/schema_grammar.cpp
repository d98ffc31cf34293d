#include "grammar/schema_grammar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "grammar/ebnf.h"
#include "grammar/json_schema.h"
#include "grammar/object_grammar.h"
#include "grammar/schema_branches.h"

namespace quire {
namespace {

constexpr size_t kMaxSchemaJsonDepth = 64;
constexpr int32_t kMaxNesting = 64;
constexpr int64_t kMaxCountedLength = 40;
constexpr int64_t kMaxLeastLength = 128;

// Characters of a JSON string, as xgrammar's regular expressions have them. No escape makes half a surrogate
// pair.
constexpr std::string_view kPlainCharacter = R"([^"\\\x00-\x1f])";
constexpr std::string_view kShortCharacter = R"([^"\\\x00-\x1f]|\\["\\/bfnrt])";
constexpr std::string_view kCharacter =
    R"([^"\\\x00-\x1f]|\\(["\\/bfnrt]|u([0-9a-cA-CefEF][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2}|)"
    R"(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))";
// Those of them that a string of Python has, too: there \/ is two characters, and no pair is one.
constexpr std::string_view kShortPythonCharacter = R"([^"\\\x00-\x1f]|\\["\\bfnrt])";
constexpr std::string_view kPythonCharacter =
    R"([^"\\\x00-\x1f]|\\(["\\bfnrt]|u([0-9a-cA-CefEF][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2}))";

// How a notation writes what is no object, array or number.
struct Spelling {
  std::string_view null, yes, no, character, short_character;
};
constexpr Spelling kJsonSpelling{"null", "true", "false", kCharacter, kShortCharacter};
constexpr Spelling kPythonSpelling{"None", "True", "False", kPythonCharacter, kShortPythonCharacter};

class SchemaGrammar {
 public:
  SchemaGrammar(SchemaValue root, GrammarBudget& budget, Notation notation, Strictness strictness)
      : reader_(root, strictness),
        budget_(budget),
        spelling_(notation == Notation::kJson ? kJsonSpelling : kPythonSpelling),
        in_arguments_(notation == Notation::kPythonArguments) {}

  Expected<std::string> convert(SchemaValue root) {
    auto body = value({root});
    if (!body) return body;
    auto text = fmt::format("root ::= {}\n{}{}", *body, rules_.text(), json_rules(spelling_));
    if (auto written = budget_.write(text.size()); !written) return std::unexpected(written.error());
    return text;
  }

 private:
  // An expression for values that all of `schemas` validate. `path`: the objects that speak of the same
  // value and lead here.
  Expected<std::string> value(const Conjunction& schemas, const SchemaPath& path = {}) {
    if (schemas.size() == 1) {
      if (const auto reference = SchemaReader::lone_reference(schemas[0]))
        return referred(*reference, path);
    }
    JsonSchema schema;
    for (const SchemaValue part : schemas) {
      if (auto read = reader_.read(part, schema, path); !read) return std::unexpected(read.error());
    }
    return of_schema(std::move(schema));
  }

  // A rule for each reference, so that they may go round in circles.
  Expected<std::string> referred(std::string_view reference, const SchemaPath& path) {
    std::string target(reference);
    for (int hops = 0;; ++hops) {
      if (auto charged = reader_.charge(0, kMembersPerPart / 8); !charged) {
        return std::unexpected(charged.error());
      }
      const auto pointed = reader_.resolve(target);
      if (!pointed) return std::unexpected(pointed.error());
      if (auto checked = SchemaReader::check_off_path(*pointed, path); !checked) {
        return std::unexpected(checked.error());
      }
      auto& references = references_[in_arguments_ ? 1 : 0];
      if (const auto known = references.find(target); known != references.end()) return known->second;
      const auto next = SchemaReader::lone_reference(*pointed);
      if (!next) {
        const std::string name = rules_.reserve("definition");
        references.emplace(target, name);
        auto body = value({*pointed}, path);
        if (!body) return body;
        rules_.define(name, *body);
        return name;
      }
      if (hops == kMaxSchemaDepth) {
        return fail(ErrorCode::kInvalidArgument, "the schema's $ref '{}' refers to itself", target);
      }
      target = *next;
    }
  }

  // Levels, and what is written so far, are bounded before and after each.
  Expected<std::string> of_schema(JsonSchema schema) {
    if (++nesting_ > kMaxNesting) {
      return fail(ErrorCode::kInvalidArgument, "the schema nests deeper than {} levels", kMaxNesting);
    }
    if (in_arguments_) schema.types &= kObject;
    auto expression =
        schema.alternatives.empty() ? of_keywords(schema) : of_alternatives(std::move(schema));
    --nesting_;
    if (!expression) return expression;
    if (auto counted = count_written(); !counted) return std::unexpected(counted.error());
    return expression;
  }

  Expected<> count_written() {
    const size_t fresh = rules_.offered_bytes() - std::exchange(counted_bytes_, rules_.offered_bytes());
    if (auto worked = budget_.work(fresh); !worked) return worked;
    return budget_.check_room(rules_.bytes());
  }

  Expected<std::string> of_keywords(const JsonSchema& schema) {
    if (schema.values) return of_values(schema);
    if (schema.types == kAnyType && schema.implied_types == kNoType) return "json_value";
    // Keywords speak of one type and let the others be: none is generated that was not thought of.
    const bool typed = schema.types != kAnyType;
    const uint8_t types = typed ? schema.types : schema.implied_types;
    std::vector<std::string> options;
    const auto add = [&](Expected<std::string> option) -> Expected<> {
      if (!option) return std::unexpected(option.error());
      options.push_back(std::move(*option));
      return {};
    };
    Expected<> added;
    if (added && types & kNull) added = add(ebnf_literal(spelling_.null));
    if (added && types & kBoolean) {
      added = add(ebnf_choice({{ebnf_literal(spelling_.yes), ebnf_literal(spelling_.no)}}));
    }
    if (added && types & (kNumber | kInteger)) added = add(number(schema, types));
    if (added && types & kString) added = add(string(schema));
    if (added && types & kArray) added = add(array(schema));
    if (added && types & kObject) added = add(object(schema));
    if (!added) return std::unexpected(added.error());
    if (options.empty()) return unsatisfiable();
    return rules_.add("value", ebnf_choice(options));
  }

  Expected<std::string> number(const JsonSchema& schema, uint8_t types) {
    const auto write = [&](const NumberBounds& bounds, std::optional<int64_t> multiple_of) {
      if (types & kNumber && !multiple_of) return number_ebnf(bounds);
      return integer_ebnf(bounds, multiple_of.value_or(1), rules_);
    };
    auto text = write(schema.bounds, schema.multiple_of);
    if (!text && reader_.passes_over(text.error())) text = write(schema.bounds, std::nullopt);
    if (!text && reader_.passes_over(text.error())) text = write({}, std::nullopt);
    return text;
  }

  static std::unexpected<Error> unsatisfiable() {
    return fail(ErrorCode::kInvalidArgument, "the schema has a part that no value can validate");
  }

  // Each branch together with what stands beside the alternatives.
  Expected<std::string> of_alternatives(JsonSchema base) {
    const auto alternatives = std::move(base.alternatives.front());
    base.alternatives.erase(base.alternatives.begin());
    const bool alone = base.types == kAnyType && base.implied_types == kNoType && !base.values &&
                       base.alternatives.empty();
    if (alternatives.exclusive) {
      const auto apart = check_exclusive(reader_, alternatives.branches);
      if (!apart && !reader_.passes_over(apart.error())) return std::unexpected(apart.error());
    }
    std::vector<std::string> options;
    for (const SchemaValue branch : alternatives.branches) {
      if (alone) {
        auto option = value({branch}, alternatives.path);
        if (!option) return option;
        options.push_back(std::move(*option));
        continue;
      }
      if (auto charged = reader_.charge(0, base.num_members); !charged) {
        return std::unexpected(charged.error());
      }
      JsonSchema both = base;
      if (auto read = reader_.read(branch, both, alternatives.path); !read) {
        return std::unexpected(read.error());
      }
      if (both.types == kNoType || (both.values && both.values->empty())) continue;
      auto option = of_schema(std::move(both));
      if (!option) return option;
      options.push_back(std::move(*option));
    }
    if (options.empty()) return unsatisfiable();
    return rules_.add("choice", ebnf_choice(options));
  }

  Expected<std::string> of_values(const JsonSchema& schema) {
    if (schema.implied_types != kNoType && !reader_.lenient()) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema has enum or const beside keywords that constrain the value further, which is "
                  "not supported: leave out the values that they forbid");
    }
    std::vector<std::string> options;
    for (const auto& listed : *schema.values) {
      if (!(types_of(listed.value) & schema.types)) continue;
      auto text = literal(listed.value);
      if (!text) return text;
      options.push_back(ebnf_literal(*text));
    }
    if (options.empty()) return unsatisfiable();
    return rules_.add("enum", ebnf_choice(options));
  }

  // One value, as the notation writes it.
  Expected<std::string> literal(SchemaValue value) const {
    if (&spelling_ == &kJsonSpelling) return std::string(simdjson::minify(value));
    if (!in_arguments_) return python_literal(value);
    std::string arguments;
    const simdjson::dom::object members = value.get_object().value_unsafe();
    for (const auto member : members) {
      if (!is_argument_name(member.key)) return no_argument_name(member.key);
      if (!arguments.empty()) arguments += ", ";
      arguments += fmt::format("{}={}", member.key, python_literal(member.value));
    }
    return arguments;
  }

  Expected<std::string> string(const JsonSchema& schema) {
    const auto [least, most] = schema.length;
    if (most != kNoLimit && least > most) return unsatisfiable();
    if (!schema.pattern) return plain_string(least, most);
    const auto node = parse_regex(*schema.pattern);
    if (!node && reader_.lenient()) return plain_string(least, most);
    if (!node) return std::unexpected(node.error());
    auto kept = with_length(*node, schema.length);
    if (!kept && reader_.passes_over(kept.error())) kept = *node;
    if (!kept) return std::unexpected(kept.error());
    const auto body = to_ebnf(*kept, TextForm::kJsonString, budget_);
    if (!body && reader_.passes_over(body.error())) return plain_string(least, most);
    if (!body) return body;
    return rules_.add("pattern", "\"\\\"\" " + *body + " \"\\\"\"");
  }

  // Short ones are counted by the grammar itself. Longer ones would take it too long to compile: the matcher
  // counts them, and they have no escapes.
  Expected<std::string> plain_string(int64_t least, int64_t most) {
    if (least == 0 && most == kNoLimit) return "json_string";
    if (reader_.lenient()) least = std::min(least, kMaxLeastLength);
    if (least > kMaxLeastLength) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema has a minLength above {}, which is not supported", kMaxLeastLength);
    }
    if (most == kNoLimit || most <= kMaxCountedLength) {
      const std::string counts =
          most == kNoLimit ? fmt::format("{{{},}}", least) : fmt::format("{{{},{}}}", least, most);
      const std::string regex = "\"(" + std::string(spelling_.short_character) + ")" + counts + "\"";
      return charged("string", fmt::format("Regex({})", ebnf_literal(regex)),
                     most == kNoLimit ? least : most);
    }
    const std::string options = fmt::format("max_chars={}", most);
    const auto name = charged("text", ebnf_repeat(kPlainCharacter, least, kNoLimit), least, options);
    if (!name) return name;
    return "\"\\\"\" " + *name + " \"\\\"\"";
  }

  // A rule of so many characters that are nearly any.
  Expected<std::string> charged(std::string_view stem, const std::string& body, int64_t num_characters,
                                std::string_view options = {}) {
    const auto charged = budget_.charge(fmt::format("{}[{}]", body, options), num_characters * kCostOfAny);
    if (!charged) return std::unexpected(charged.error());
    return rules_.add(stem, body, options);
  }

  Expected<std::string> array(const JsonSchema& schema) {
    if (schema.mixed_items && !schema.prefix_items.empty() && !reader_.lenient()) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema has prefixItems and items in different parts of an allOf or $ref, which is "
                  "not supported");
    }
    const auto num_prefix = std::ssize(schema.prefix_items);
    const LengthRange count = schema.num_items;
    if (count.most != kNoLimit && count.least > count.most) return unsatisfiable();
    if (auto row = budget_.charge_row(num_prefix); !row) return std::unexpected(row.error());
    std::vector<std::string> parts;
    for (const SchemaValue item : schema.prefix_items) {
      if (count.most != kNoLimit && std::ssize(parts) == count.most) break;
      auto part = value({item});
      if (!part) return part;
      parts.push_back(std::move(*part));
    }
    const int64_t least = std::max<int64_t>(count.least - num_prefix, 0);
    const int64_t most = schema.no_more_items     ? 0
                         : count.most == kNoLimit ? kNoLimit
                                                  : std::max<int64_t>(count.most - num_prefix, 0);
    if (most != kNoLimit && least > most) return unsatisfiable();
    std::string items;
    if (most != 0) {
      auto item = schema.items.empty() ? Expected<std::string>("json_value") : value(schema.items);
      if (!item) return item;
      items = rules_.add("item", *item);
    }
    return rules_.add("array", list_of(parts, items, least, most));
  }

  static std::string list_of(const std::vector<std::string>& parts, const std::string& item, int64_t least,
                             int64_t most) {
    const std::string head = fmt::format("{}", fmt::join(parts, " json_comma "));
    if (parts.empty() && most == 0) return "\"[\" json_blank \"]\"";
    const auto further = [&](int64_t from, int64_t to) {
      return to == 0 ? std::string() : ebnf_repeat("json_comma " + item, from, to);
    };
    if (!parts.empty()) {
      return fmt::format("\"[\" json_blank {} {} json_blank \"]\"", head, further(least, most));
    }
    const std::string rest =
        further(std::max<int64_t>(least - 1, 0), most == kNoLimit ? kNoLimit : most - 1);
    const std::string some = fmt::format("{} {} json_blank", item, rest);
    if (least > 0) return fmt::format("\"[\" json_blank {} \"]\"", some);
    return fmt::format("\"[\" json_blank ({})? \"]\"", some);
  }

  Expected<std::string> object(const JsonSchema& schema) {
    const auto [least, most] = schema.num_properties;
    if (most != kNoLimit && least > most) return unsatisfiable();
    // Whatever stands in it is no list of arguments.
    const bool in_arguments = std::exchange(in_arguments_, false);
    auto name = object_ebnf(
        schema, rules_, budget_, [this](const Conjunction& schemas) { return value(schemas); },
        in_arguments ? ObjectForm::kArguments : ObjectForm::kBraces, reader_.strictness());
    in_arguments_ = in_arguments;
    return name;
  }

  static std::string json_rules(const Spelling& spelling);
  friend std::string quire::json_object_ebnf();

  SchemaReader reader_;
  EbnfRules rules_;
  // And their rules: as a value, and as arguments.
  std::array<std::map<std::string, std::string, std::less<>>, 2> references_;
  int32_t nesting_ = 0;
  GrammarBudget& budget_;
  const Spelling& spelling_;
  bool in_arguments_;  // what is written is the root, as arguments
  size_t counted_bytes_ = 0;
};

// What JSON is whatever the schema (RFC 8259), or the same in Python.
std::string SchemaGrammar::json_rules(const Spelling& spelling) {
  return fmt::format(
      "json_value ::= json_object | json_array | json_string | json_number | \"{}\" | \"{}\" | \"{}\"\n"
      "json_object ::= \"{{\" json_blank (json_member (json_comma json_member)* json_blank)? \"}}\"\n"
      "json_array ::= \"[\" json_blank (json_value (json_comma json_value)* json_blank)? \"]\"\n"
      "json_member ::= json_string json_colon json_value\n"
      "json_string ::= Regex({})\n"
      "json_number ::= {}\n"
      "json_comma ::= \",\" json_blank\n"
      "json_colon ::= \":\" json_blank\n"
      "json_blank ::= [ \\n\\t]{{0,{}}}\n",
      spelling.yes, spelling.no, spelling.null,
      ebnf_literal("\"(" + std::string(spelling.character) + ")*\""), *number_ebnf({}), kMaxWhitespace);
}

}  // namespace

std::string json_object_ebnf() {
  return "root ::= json_object\n" + SchemaGrammar::json_rules(kJsonSpelling);
}

Expected<std::string> schema_to_ebnf(std::string_view schema_json, GrammarBudget& budget, Notation notation,
                                     Strictness strictness) {
  if (schema_json.size() > kMaxGrammarBytes) {
    return fail(ErrorCode::kInvalidArgument, "a schema takes at most {} bytes, but has {}",
                kMaxGrammarBytes, schema_json.size());
  }
  simdjson::dom::parser parser;
  SchemaValue root;
  if (parser.allocate(std::max<size_t>(schema_json.size(), 64), kMaxSchemaJsonDepth) != simdjson::SUCCESS ||
      parser.parse(schema_json.data(), schema_json.size()).get(root) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "the schema is not valid JSON of at most {} levels",
                kMaxSchemaJsonDepth);
  }
  if (auto checked = check_document(root); !checked) return std::unexpected(checked.error());
  return SchemaGrammar(root, budget, notation, strictness).convert(root);
}

}  // namespace quire
