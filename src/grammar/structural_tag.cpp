#include "grammar/structural_tag.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/text.h"
#include "grammar/ebnf_check.h"
#include "grammar/grammar_budget.h"
#include "grammar/json_schema.h"
#include "grammar/regex.h"
#include "grammar/schema_grammar.h"

namespace quire {
namespace {

using Value = simdjson::dom::element;
using Object = simdjson::dom::object;

constexpr size_t kMaxTagDepth = 64;

// What stands in a format beside its type.
enum class MemberKind : uint8_t {
  kText,
  kTexts,   // bounded, none empty
  kEnds,    // a text, or some
  kFlag,    // true or false
  kLimit,   // a number, or null
  kFormat,  // one, some, or some of the type tag
  kFormats,
  kTags,
  kLeast,  // of a repetition
  kMost,
  kStyle,   // "json"; comes before the schema
  kStrict,  // true or false; the server's own, and before the schema, too
  kSchema,  // these three are what the whole format is written as
  kPattern,
  kGrammar,
};

struct MemberRule {
  std::string_view name;
  MemberKind kind;
  bool required = true;
};

struct FormatRule {
  std::string_view type;
  std::span<const MemberRule> members;
};

using enum MemberKind;
constexpr MemberRule kConstString[] = {{"value", kText}};
constexpr MemberRule kJsonSchema[] = {
    {"style", kStyle, false}, {"strict", kStrict, false}, {"json_schema", kSchema}};
constexpr MemberRule kRegex[] = {{"pattern", kPattern}};
constexpr MemberRule kEbnf[] = {{"grammar", kGrammar}};
constexpr MemberRule kAnyText[] = {
    {"excludes", kTexts, false}, {"max_tokens", kLimit, false}, {"max_chars", kLimit, false}};
constexpr MemberRule kElements[] = {{"elements", kFormats}};
constexpr MemberRule kContent[] = {{"content", kFormat}};
constexpr MemberRule kRepeat[] = {{"min", kLeast}, {"max", kMost}, {"content", kFormat}};
constexpr MemberRule kTag[] = {{"begin", kText}, {"content", kFormat}, {"end", kEnds}};
constexpr MemberRule kTriggered[] = {{"triggers", kTexts},
                                     {"tags", kTags},
                                     {"excludes", kTexts, false},
                                     {"at_least_one", kFlag, false},
                                     {"stop_after_first", kFlag, false}};
constexpr MemberRule kSeparated[] = {{"tags", kTags},
                                     {"separator", kText},
                                     {"at_least_one", kFlag, false},
                                     {"stop_after_first", kFlag, false}};
constexpr FormatRule kFormatRules[] = {{"const_string", kConstString},
                                       {"json_schema", kJsonSchema},
                                       {"regex", kRegex},
                                       {"grammar", kEbnf},
                                       {"any_text", kAnyText},
                                       {"sequence", kElements},
                                       {"or", kElements},
                                       {"optional", kContent},
                                       {"star", kContent},
                                       {"plus", kContent},
                                       {"repeat", kRepeat},
                                       {"tag", kTag},
                                       {"triggered_tags", kTriggered},
                                       {"tags_with_separator", kSeparated}};

std::unexpected<Error> wrong_tag(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "a structural tag {}", what);
}

std::unexpected<Error> unknown_member(std::string_view owner, std::string_view name) {
  return wrong_tag(
      fmt::format("has a format of type '{}' with the member '{}', which is not supported", owner, name));
}

std::string_view shown(std::string_view text) { return text.substr(0, std::min<size_t>(text.size(), 64)); }

// A JSON string.
std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Reads one tag, format by format, and writes it anew: what comes out is of what was looked at, and of
// nothing else.
class TagReader {
 public:
  TagReader(TagAuthor author, GrammarBudget& budget) : author_(author), budget_(budget) {}

  // type: the only one that may stand here; empty: any.
  Expected<std::string> format(Value value, std::string_view type = {});
  Expected<std::string> from_structures(Value structures, Value triggers);

 private:
  struct Member {
    std::string_view owner;  // the type of the format
    std::string_view name;
    Value value;
  };

  static std::unexpected<Error> wrong(const Member& member, std::string_view expected) {
    return wrong_tag(
        fmt::format("has a format of type '{}' whose {} is not {}", member.owner, member.name, expected));
  }

  Expected<std::string> members(const FormatRule& rule, Object object);
  Expected<std::string> read(MemberKind kind, const Member& member);
  Expected<std::string> text(const Member& member);
  Expected<std::string> texts(const Member& member);
  Expected<std::string> formats(const Member& member, std::string_view type);
  Expected<std::string> limit(const Member& member);
  Expected<std::string> style(const Member& member);
  Expected<std::string> strict(const Member& member);
  Expected<int64_t> integer(const Member& member, int64_t least, int64_t most);
  Expected<std::string> least(const Member& member);
  Expected<std::string> most(const Member& member);
  Expected<std::string> schema(Value value);
  Expected<std::string> pattern(const Member& member);
  Expected<std::string> grammar(const Member& member);
  Expected<std::string> structure(Value structure);
  Expected<> charge(int64_t counts);

  const TagAuthor author_;
  GrammarBudget& budget_;  // of all its grammars
  // Of the schema that comes next.
  Notation notation_ = Notation::kJson;
  Strictness strictness_ = Strictness::kStrict;
  int64_t num_formats_ = 0;
  int64_t multiplier_ = 1;  // of the repetitions around
  int64_t repeated_ = 1;    // at least, by the format that is read
  int64_t counts_ = 0;
};

Expected<std::string> TagReader::format(Value value, std::string_view type) {
  if (++num_formats_ > kMaxTagFormats) {
    return wrong_tag(fmt::format("may have at most {} formats", kMaxTagFormats));
  }
  std::string_view found = type;  // where only one can stand it may be left out
  const bool typed = value.is_object() && value["type"].error() == simdjson::SUCCESS;
  if (!value.is_object() || (!typed && type.empty()) ||
      (typed && value["type"].get_string().get(found) != simdjson::SUCCESS)) {
    return wrong_tag("has a format that is no object with a type");
  }
  const auto rule = std::ranges::find(kFormatRules, found, &FormatRule::type);
  if (rule == std::end(kFormatRules)) {
    return wrong_tag(fmt::format("has a format of type '{}', which is not supported", shown(found)));
  }
  if (!type.empty() && found != type) {
    return wrong_tag(fmt::format("has a format of type '{}' where a {} must stand", found, type));
  }
  return members(*rule, value.get_object().value_unsafe());
}

Expected<std::string> TagReader::members(const FormatRule& rule, Object object) {
  const int64_t multiplier = multiplier_;
  std::string out = fmt::format("{{\"type\":\"{}\"", rule.type), whole;
  size_t num_found = object["type"].error() == simdjson::SUCCESS ? 1 : 0;
  for (const MemberRule& member : rule.members) {
    Value value;
    if (object[member.name].get(value) != simdjson::SUCCESS) {
      if (!member.required) continue;
      return wrong_tag(fmt::format("has a format of type '{}' without {}", rule.type, member.name));
    }
    ++num_found;
    auto written = read(member.kind, {rule.type, member.name, value});
    if (!written) return written;
    if (member.kind == kSchema || member.kind == kPattern || member.kind == kGrammar) {
      whole = std::move(*written);
    } else {
      out += fmt::format(",\"{}\":{}", member.name, *written);
    }
  }
  multiplier_ = multiplier;
  if (num_found == object.size()) return whole.empty() ? out + '}' : whole;
  for (const auto member : object) {
    if (member.key == "type" ||
        std::ranges::find(rule.members, member.key, &MemberRule::name) != rule.members.end())
      continue;
    return unknown_member(rule.type, shown(member.key));
  }
  return wrong_tag(fmt::format("has a format of type '{}' with a member twice", rule.type));
}

Expected<std::string> TagReader::read(MemberKind kind, const Member& member) {
  switch (kind) {
    case kText: return text(member);
    case kTexts: return texts(member);
    case kEnds: return member.value.is_string() ? text(member) : texts(member);
    case kLimit: return limit(member);
    case kFormat: return format(member.value);
    case kFormats: return formats(member, {});
    case kTags: return formats(member, "tag");
    case kLeast: return least(member);
    case kMost: return most(member);
    case kSchema: return schema(member.value);
    case kPattern: return pattern(member);
    case kGrammar: return grammar(member);
    case kFlag:
      if (!member.value.is_bool()) return wrong(member, "true or false");
      return std::string(simdjson::minify(member.value));
    case kStyle: return style(member);
    case kStrict: break;
  }
  return strict(member);
}

Expected<std::string> TagReader::style(const Member& member) {
  std::string_view style;
  const bool named = member.value.get_string().get(style) == simdjson::SUCCESS;
  if (named && author_ == TagAuthor::kServer && style == "python_arguments") {
    notation_ = Notation::kPythonArguments;
  } else if (!named || style != "json") {
    return wrong(member, "'json', the only one that is supported");
  }
  return json_text(style);
}

Expected<std::string> TagReader::strict(const Member& member) {
  if (author_ != TagAuthor::kServer) return unknown_member(member.owner, member.name);
  bool strict = false;
  if (member.value.get_bool().get(strict) != simdjson::SUCCESS) return wrong(member, "true or false");
  strictness_ = strict ? Strictness::kStrict : Strictness::kLenient;
  return std::string(simdjson::minify(member.value));
}

Expected<std::string> TagReader::text(const Member& member) {
  std::string_view text;
  if (member.value.get_string().get(text) != simdjson::SUCCESS) return wrong(member, "a string");
  return json_text(text);
}

Expected<std::string> TagReader::texts(const Member& member) {
  simdjson::dom::array items;
  const std::string expected =
      fmt::format("an array of at most {} strings of 1 to {} bytes", kMaxTagTexts, kMaxTagTextBytes);
  if (member.value.get_array().get(items) != simdjson::SUCCESS) return wrong(member, expected);
  std::string out = "[";
  int64_t num_texts = 0;
  for (const Value item : items) {
    std::string_view text;
    if (item.get_string().get(text) != simdjson::SUCCESS || text.empty() ||
        std::ssize(text) > kMaxTagTextBytes || ++num_texts > kMaxTagTexts) {
      return wrong(member, expected);
    }
    if (out.size() > 1) out += ',';
    out += json_text(text);
  }
  return out += ']';
}

Expected<std::string> TagReader::formats(const Member& member, std::string_view type) {
  simdjson::dom::array items;
  if (member.value.get_array().get(items) != simdjson::SUCCESS) return wrong(member, "an array");
  std::string out = "[";
  for (const Value item : items) {
    const auto written = format(item, type);
    if (!written) return written;
    if (out.size() > 1) out += ',';
    out += *written;
  }
  return out += ']';
}

Expected<int64_t> TagReader::integer(const Member& member, int64_t least, int64_t most) {
  int64_t number = 0;
  if (member.value.get_int64().get(number) == simdjson::SUCCESS && number >= least && number <= most) {
    return number;
  }
  return wrong(member, fmt::format("an integer of {} to {}", least, most));
}

Expected<std::string> TagReader::limit(const Member& member) {
  if (member.value.is_null()) return "null";
  const auto number = integer(member, 0, kMaxCounted);
  if (!number) return std::unexpected(number.error());
  return fmt::format("{}", *number);
}

Expected<> TagReader::charge(int64_t counts) {
  counts_ += counts;
  if (counts_ <= kMaxTagCounts) return {};
  return wrong_tag(fmt::format(
      "repeats too much: its counts, multiplied where they stand in one another, may be {} in all",
      kMaxTagCounts));
}

Expected<std::string> TagReader::least(const Member& member) {
  const auto number = integer(member, 0, kMaxTagCounts);
  if (!number) return std::unexpected(number.error());
  repeated_ = std::max<int64_t>(*number, 1);
  return fmt::format("{}", *number);
}

// Read after the minimum and before what is repeated. -1: without end.
Expected<std::string> TagReader::most(const Member& member) {
  const auto number = integer(member, -1, kMaxTagCounts);
  if (!number) return std::unexpected(number.error());
  multiplier_ *= std::max(repeated_, *number);
  if (auto charged = charge(multiplier_); !charged) return std::unexpected(charged.error());
  return fmt::format("{}", *number);
}

Expected<std::string> TagReader::schema(Value value) {
  const Notation notation = std::exchange(notation_, Notation::kJson);
  const Strictness strictness = std::exchange(strictness_, Strictness::kStrict);
  const auto ebnf = schema_to_ebnf(simdjson::minify(value), budget_, notation, strictness);
  if (!ebnf) return ebnf;
  return grammar_format(*ebnf);
}

Expected<std::string> TagReader::pattern(const Member& member) {
  std::string_view text;
  if (member.value.get_string().get(text) != simdjson::SUCCESS) return wrong(member, "a string");
  const auto node = parse_regex(text);
  if (!node) return std::unexpected(node.error());
  const auto ebnf = to_ebnf(*node, TextForm::kPlain, budget_);
  if (!ebnf) return ebnf;
  if (auto written = budget_.write(ebnf->size()); !written) return std::unexpected(written.error());
  return grammar_format("root ::= " + *ebnf);
}

Expected<std::string> TagReader::grammar(const Member& member) {
  std::string_view text;
  if (member.value.get_string().get(text) != simdjson::SUCCESS) return wrong(member, "a string");
  const auto counts = check_ebnf(text, budget_);
  if (!counts) return std::unexpected(counts.error());
  if (auto charged = charge(*counts * multiplier_); !charged) return std::unexpected(charged.error());
  return grammar_format(text);
}

// {"begin", "schema", "end"} as a tag.
Expected<std::string> TagReader::structure(Value structure) {
  std::string_view begin, end;
  Value schema_value;
  if (++num_formats_ > kMaxTagFormats) {
    return wrong_tag(fmt::format("may have at most {} formats", kMaxTagFormats));
  }
  if (!structure.is_object() || structure["begin"].get_string().get(begin) != simdjson::SUCCESS ||
      structure["end"].get_string().get(end) != simdjson::SUCCESS ||
      structure["schema"].get(schema_value) != simdjson::SUCCESS) {
    return wrong_tag("has a structure that is no object with begin, schema and end");
  }
  const auto content = schema(schema_value);
  if (!content) return content;
  return fmt::format("{{\"type\":\"tag\",\"begin\":{},\"content\":{},\"end\":{}}}", json_text(begin),
                     *content, json_text(end));
}

Expected<std::string> TagReader::from_structures(Value structures, Value triggers) {
  simdjson::dom::array items;
  if (structures.get_array().get(items) != simdjson::SUCCESS)
    return wrong_tag("needs an array of structures");
  const auto written = texts({"triggered_tags", "triggers", triggers});
  if (!written) return written;
  std::string tags;
  for (const Value item : items) {
    const auto tag = structure(item);
    if (!tag) return tag;
    tags += (tags.empty() ? "" : ",") + *tag;
  }
  return fmt::format("{{\"type\":\"triggered_tags\",\"triggers\":{},\"tags\":[{}]}}", *written, tags);
}

constexpr std::string_view kAnyTextFormat = R"({"type":"any_text"})";
constexpr std::string_view kBlanks = "root ::= [ \\n\\r\\t]{0,4}";  // that models write around reasoning

}  // namespace

Expected<std::string> read_structural_tag(std::string_view json, TagAuthor author, GrammarBudget& budget) {
  if (json.size() > kMaxGrammarBytes)
    return wrong_tag(fmt::format("takes at most {} bytes", kMaxGrammarBytes));
  simdjson::dom::parser parser;
  Value root, format, structures, triggers;
  if (parser.allocate(std::max<size_t>(json.size(), 64), kMaxTagDepth) != simdjson::SUCCESS ||
      parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return wrong_tag(fmt::format("must be a JSON object of at most {} levels", kMaxTagDepth));
  }
  TagReader reader(author, budget);
  if (root["format"].get(format) == simdjson::SUCCESS) return reader.format(format);
  if (root["structures"].get(structures) != simdjson::SUCCESS ||
      root["triggers"].get(triggers) != simdjson::SUCCESS) {
    return wrong_tag("needs format, or structures and triggers");
  }
  return reader.from_structures(structures, triggers);
}

std::string grammar_format(std::string_view ebnf) {
  return fmt::format("{{\"type\":\"grammar\",\"grammar\":{}}}", json_text(ebnf));
}

std::string format_after(const ReasoningMarks& reasoning, std::string_view format) {
  const std::string thoughts =
      fmt::format(R"({{"type":"tag","begin":{},"content":{},"end":{}}})", json_text(reasoning.open),
                  kAnyTextFormat, json_text(reasoning.close));
  const std::string blanks = grammar_format(kBlanks);
  if (reasoning.open.empty()) {
    return fmt::format(R"({{"type":"sequence","elements":[{},{},{}]}})", thoughts, blanks, format);
  }
  // Nothing before the mark: what may stand before it alone would lead into it who writes a blank first.
  return fmt::format(
      R"({{"type":"sequence","elements":[{{"type":"optional","content":{{"type":"sequence","elements":)"
      R"([{},{}]}}}},{}]}})",
      thoughts, blanks, format);
}

std::string either_format(std::string_view a, std::string_view b) {
  return fmt::format(R"({{"type":"or","elements":[{},{}]}})", a, b);
}

std::string structural_tag(std::string_view format) {
  return fmt::format(R"({{"type":"structural_tag","format":{}}})", format);
}

}  // namespace quire
