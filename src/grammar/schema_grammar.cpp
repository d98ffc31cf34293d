#include "grammar/schema_grammar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "grammar/ebnf.h"
#include "grammar/grammar_spec.h"
#include "grammar/json_schema.h"
#include "grammar/object_grammar.h"
#include "grammar/schema_branches.h"

namespace quire {
namespace {

constexpr size_t kMaxWrittenBytes = 1 << 20;
constexpr size_t kMaxSchemaJsonDepth = 64;
constexpr int32_t kMaxNesting = 64;
constexpr int64_t kMaxCountedLength = 40;
constexpr int64_t kMaxLeastLength = 128;
constexpr int64_t kMaxCountedSize = 2048;

// Characters of a JSON string, as xgrammar's regular expressions have them. No escape makes half a surrogate
// pair.
constexpr std::string_view kPlainCharacter = R"([^"\\\x00-\x1f])";
constexpr std::string_view kShortCharacter = R"([^"\\\x00-\x1f]|\\["\\/bfnrt])";
constexpr std::string_view kCharacter =
    R"([^"\\\x00-\x1f]|\\(["\\/bfnrt]|u([0-9a-cA-CefEF][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2}|)"
    R"(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))";

class SchemaGrammar {
 public:
  explicit SchemaGrammar(SchemaValue root) : reader_(root) {}

  Expected<std::string> convert(SchemaValue root) {
    auto body = value({root});
    if (!body) return body;
    return fmt::format("root ::= {}\n{}{}", *body, rules_.text(), json_rules());
  }

 private:
  // An expression for values that all of `schemas` validate.
  Expected<std::string> value(const Conjunction& schemas) {
    if (schemas.size() == 1) {
      if (const auto reference = SchemaReader::lone_reference(schemas[0])) return referred(*reference);
    }
    JsonSchema schema;
    for (const SchemaValue part : schemas) {
      if (auto read = reader_.read(part, schema); !read) return std::unexpected(read.error());
    }
    if (rules_.bytes() > kMaxWrittenBytes) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema is too large: its grammar has more than {} bytes", kMaxWrittenBytes);
    }
    if (++nesting_ > kMaxNesting) {
      return fail(ErrorCode::kInvalidArgument, "the schema nests deeper than {} levels", kMaxNesting);
    }
    auto expression = of_schema(schema);
    --nesting_;
    return expression;
  }

  // A rule for each reference, so that they may go round in circles.
  Expected<std::string> referred(std::string_view reference) {
    std::string target(reference);
    for (int hops = 0;; ++hops) {
      if (const auto known = references_.find(target); known != references_.end()) return known->second;
      const auto pointed = reader_.resolve(target);
      if (!pointed) return std::unexpected(pointed.error());
      const auto next = SchemaReader::lone_reference(*pointed);
      if (!next) {
        const std::string name = rules_.reserve("definition");
        references_.emplace(target, name);
        auto body = value({*pointed});
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

  Expected<std::string> of_schema(const JsonSchema& schema) {
    if (!schema.alternatives.empty()) return of_alternatives(schema);
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
    if (added && types & kNull) added = add("\"null\"");
    if (added && types & kBoolean) added = add("(\"true\" | \"false\")");
    if (added && types & kNumber && !schema.multiple_of) {
      added = add(number_ebnf(schema.bounds));
    } else if (added && types & (kNumber | kInteger)) {
      added = add(integer_ebnf(schema.bounds, schema.multiple_of.value_or(1), rules_));
    }
    if (added && types & kString) added = add(string(schema));
    if (added && types & kArray) added = add(array(schema));
    if (added && types & kObject) added = add(object(schema));
    if (!added) return std::unexpected(added.error());
    if (options.empty()) return unsatisfiable();
    return rules_.add("value", ebnf_choice(options));
  }

  static std::unexpected<Error> unsatisfiable() {
    return fail(ErrorCode::kInvalidArgument, "the schema has a part that no value can validate");
  }

  // Each branch together with what stands beside the alternatives.
  Expected<std::string> of_alternatives(const JsonSchema& schema) {
    JsonSchema base = schema;
    const auto alternatives = base.alternatives.front();
    base.alternatives.erase(base.alternatives.begin());
    const bool alone = base.types == kAnyType && base.implied_types == kNoType && !base.values &&
                       base.alternatives.empty();
    if (alternatives.exclusive) {
      if (auto apart = check_exclusive(reader_, alternatives.branches); !apart) {
        return std::unexpected(apart.error());
      }
    }
    std::vector<std::string> options;
    for (const SchemaValue branch : alternatives.branches) {
      if (alone) {
        auto option = value({branch});
        if (!option) return option;
        options.push_back(std::move(*option));
        continue;
      }
      JsonSchema both = base;
      if (auto read = reader_.read(branch, both); !read) return std::unexpected(read.error());
      if (both.types == kNoType || (both.values && both.values->empty())) continue;
      auto option = of_schema(both);
      if (!option) return option;
      options.push_back(std::move(*option));
    }
    if (options.empty()) return unsatisfiable();
    return rules_.add("choice", ebnf_choice(options));
  }

  Expected<std::string> of_values(const JsonSchema& schema) {
    if (schema.implied_types != kNoType) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema has enum or const beside keywords that constrain the value further, which is "
                  "not supported: leave out the values that they forbid");
    }
    std::vector<std::string> options;
    for (const SchemaValue item : *schema.values) {
      if (types_of(item) & schema.types) options.push_back(ebnf_literal(simdjson::minify(item)));
    }
    if (options.empty()) return unsatisfiable();
    return rules_.add("enum", ebnf_choice(options));
  }

  Expected<std::string> string(const JsonSchema& schema) {
    const auto [least, most] = schema.length;
    if (most != kNoLimit && least > most) return unsatisfiable();
    if (!schema.pattern) return plain_string(least, most);
    auto node = parse_regex(*schema.pattern);
    if (node) node = with_length(*node, schema.length);
    if (!node) return std::unexpected(node.error());
    if (auto charged = charge(size_of(*node)); !charged) return std::unexpected(charged.error());
    auto body = to_ebnf(*node, TextForm::kJsonString);
    if (!body) return body;
    return "\"\\\"\" " + *body + " \"\\\"\"";
  }

  // Short ones are counted by the grammar itself. Longer ones would take it too long to compile: the matcher
  // counts them, and they have no escapes.
  Expected<std::string> plain_string(int64_t least, int64_t most) {
    if (least == 0 && most == kNoLimit) return "json_string";
    if (least > kMaxLeastLength) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema has a minLength above {}, which is not supported", kMaxLeastLength);
    }
    const bool by_grammar = most != kNoLimit && most <= kMaxCountedLength;
    if (auto charged = charge(by_grammar ? most : least); !charged) return std::unexpected(charged.error());
    if (by_grammar || most == kNoLimit) {
      const std::string counts =
          most == kNoLimit ? fmt::format("{{{},}}", least) : fmt::format("{{{},{}}}", least, most);
      return rules_.add(
          "string", fmt::format("Regex({})",
                                ebnf_literal("\"(" + std::string(kShortCharacter) + ")" + counts + "\"")));
    }
    const std::string name = rules_.add("text", ebnf_repeat(kPlainCharacter, least, kNoLimit),
                                        fmt::format("max_chars={}", most));
    return "\"\\\"\" " + name + " \"\\\"\"";
  }

  // What patterns and lengths cost is known before they are compiled, in characters that are counted.
  Expected<> charge(int64_t size) {
    counted_size_ += size;
    if (counted_size_ <= kMaxCountedSize) return {};
    return fail(ErrorCode::kInvalidArgument,
                "the schema's patterns and lengths are too large: they may count {} characters in all",
                kMaxCountedSize);
  }

  Expected<std::string> array(const JsonSchema& schema) {
    if (schema.mixed_items && !schema.prefix_items.empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  "the schema has prefixItems and items in different parts of an allOf or $ref, which is "
                  "not supported");
    }
    const auto num_prefix = std::ssize(schema.prefix_items);
    LengthRange count = schema.num_items;
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
    return object_ebnf(schema, rules_, [this](const Conjunction& schemas) { return value(schemas); });
  }

  static std::string json_rules();
  friend std::string quire::json_object_ebnf();

  SchemaReader reader_;
  EbnfRules rules_;
  std::map<std::string, std::string, std::less<>> references_;  // and their rules
  int32_t nesting_ = 0;
  int64_t counted_size_ = 0;
};

// What JSON is whatever the schema (RFC 8259).
std::string SchemaGrammar::json_rules() {
  return fmt::format(
      "json_value ::= json_object | json_array | json_string | json_number | \"true\" | \"false\" | "
      "\"null\"\n"
      "json_object ::= \"{{\" json_blank (json_member (json_comma json_member)* json_blank)? \"}}\"\n"
      "json_array ::= \"[\" json_blank (json_value (json_comma json_value)* json_blank)? \"]\"\n"
      "json_member ::= json_string json_colon json_value\n"
      "json_string ::= Regex({})\n"
      "json_number ::= {}\n"
      "json_comma ::= \",\" json_blank\n"
      "json_colon ::= \":\" json_blank\n"
      "json_blank ::= [ \\n\\t]{{0,{}}}\n",
      ebnf_literal("\"(" + std::string(kCharacter) + ")*\""), *number_ebnf({}), kMaxWhitespace);
}

}  // namespace

std::string json_object_ebnf() { return "root ::= json_object\n" + SchemaGrammar::json_rules(); }

Expected<std::string> schema_to_ebnf(std::string_view schema_json) {
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
  return SchemaGrammar(root).convert(root);
}

}  // namespace quire
