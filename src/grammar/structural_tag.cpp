#include "grammar/structural_tag.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "grammar/ebnf_check.h"
#include "grammar/grammar_spec.h"
#include "grammar/regex.h"
#include "grammar/schema_grammar.h"

namespace quire {
namespace {

using Value = simdjson::dom::element;
using Object = simdjson::dom::object;

constexpr size_t kMaxTagDepth = 64;
constexpr size_t kMaxTagBytes = 4 << 20;  // of the tag with its grammars written out

std::unexpected<Error> wrong_tag(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "a structural tag {}", what);
}

// A JSON string.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<uint8_t>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint8_t>(c));
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string grammar_part(std::string_view ebnf) {
  return fmt::format("{{\"type\":\"grammar\",\"grammar\":{}}}", quoted(ebnf));
}

Expected<std::string> schema_part(Value schema) {
  const auto ebnf = schema_to_ebnf(simdjson::minify(schema));
  if (!ebnf) return std::unexpected(ebnf.error());
  return grammar_part(*ebnf);
}

Expected<std::string> regex_part(std::string_view pattern) {
  const auto node = parse_regex(pattern);
  if (!node) return std::unexpected(node.error());
  const auto ebnf = to_ebnf(*node, TextForm::kPlain);
  if (!ebnf) return std::unexpected(ebnf.error());
  return grammar_part("root ::= " + *ebnf);
}

Expected<std::string> rewrite(Value value);

Expected<std::string> rewrite_object(Object object) {
  std::string_view type, pattern;
  const bool typed = object["type"].get_string().get(type) == simdjson::SUCCESS;
  if (typed && type == "json_schema") {
    Value schema;
    if (object.size() != 2 || object["json_schema"].get(schema) != simdjson::SUCCESS) {
      return wrong_tag("has a json_schema with other fields than json_schema");
    }
    return schema_part(schema);
  }
  if (typed && type == "regex") {
    if (object.size() != 2 || object["pattern"].get_string().get(pattern) != simdjson::SUCCESS) {
      return wrong_tag("has a regex with other fields than pattern, a string");
    }
    return regex_part(pattern);
  }
  std::string_view grammar;
  if (object["grammar"].get_string().get(grammar) == simdjson::SUCCESS) {
    if (auto checked = check_ebnf(grammar); !checked) return std::unexpected(checked.error());
  }
  std::string out = "{";
  for (const auto member : object) {
    auto inner = rewrite(member.value);
    if (!inner) return inner;
    if (out.size() > 1) out += ',';
    out += quoted(member.key) + ':' + *inner;
    if (out.size() > kMaxTagBytes) return wrong_tag("is too large");
  }
  return out += '}';
}

Expected<std::string> rewrite(Value value) {
  if (value.is_object()) return rewrite_object(value.get_object().value_unsafe());
  if (!value.is_array()) return std::string(simdjson::minify(value));
  std::string out = "[";
  const auto items = value.get_array().value_unsafe();
  for (const Value item : items) {
    auto inner = rewrite(item);
    if (!inner) return inner;
    if (out.size() > 1) out += ',';
    out += *inner;
  }
  return out += ']';
}

// {"begin", "schema", "end"} as a tag.
Expected<std::string> structure_tag(Value structure) {
  std::string_view begin, end;
  Value schema;
  if (structure["begin"].get_string().get(begin) != simdjson::SUCCESS ||
      structure["end"].get_string().get(end) != simdjson::SUCCESS ||
      structure["schema"].get(schema) != simdjson::SUCCESS) {
    return wrong_tag("has a structure without begin, schema and end");
  }
  const auto content = schema_part(schema);
  if (!content) return content;
  return fmt::format("{{\"type\":\"tag\",\"begin\":{},\"content\":{},\"end\":{}}}", quoted(begin), *content,
                     quoted(end));
}

Expected<std::string> from_structures(Value structures, Value triggers) {
  if (!structures.is_array() || !triggers.is_array())
    return wrong_tag("needs arrays of structures and triggers");
  std::string tags;
  const auto items = structures.get_array().value_unsafe();
  for (const Value item : items) {
    if (!item.is_object()) return wrong_tag("has a structure that is no object");
    const auto tag = structure_tag(item);
    if (!tag) return tag;
    tags += (tags.empty() ? "" : ",") + *tag;
  }
  return fmt::format("{{\"type\":\"triggered_tags\",\"triggers\":{},\"tags\":[{}]}}",
                     std::string(simdjson::minify(triggers)), tags);
}

}  // namespace

Expected<std::string> normalized_structural_tag(std::string_view json) {
  if (json.size() > kMaxGrammarBytes)
    return wrong_tag(fmt::format("takes at most {} bytes", kMaxGrammarBytes));
  simdjson::dom::parser parser;
  Value root;
  if (parser.allocate(std::max<size_t>(json.size(), 64), kMaxTagDepth) != simdjson::SUCCESS ||
      parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return wrong_tag(fmt::format("must be a JSON object of at most {} levels", kMaxTagDepth));
  }
  Value format, structures, triggers;
  Expected<std::string> inner;
  if (root["format"].get(format) == simdjson::SUCCESS) {
    inner = rewrite(format);
  } else if (root["structures"].get(structures) == simdjson::SUCCESS &&
             root["triggers"].get(triggers) == simdjson::SUCCESS) {
    inner = from_structures(structures, triggers);
  } else {
    return wrong_tag("needs format, or structures and triggers");
  }
  if (!inner) return inner;
  return fmt::format("{{\"type\":\"structural_tag\",\"format\":{}}}", *inner);
}

}  // namespace quire
