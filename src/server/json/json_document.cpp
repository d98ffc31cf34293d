#include "server/json/json_document.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace quire {
namespace {

using simdjson::dom::element_type;

Expected<> check_text(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return {};  // a prompt may be megabytes
  return fail(ErrorCode::kInvalidArgument, "a string in the body has a surrogate without its partner");
}

Expected<> check_names(JsonObject object) {
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (const auto member : object) names.push_back(member.key);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  const std::string name(twice->substr(0, complete_utf8_length(twice->substr(0, 64))));
  return fail_param(name, "the field '{}' is there more than once", name);
}

// What simdjson leaves to its user. The depth is bounded by the parser.
Expected<> check_value(JsonValue value, JsonDocument::Names names) {
  if (value.type() == element_type::STRING) return check_text(value.get_string().value_unsafe());
  if (value.type() == element_type::ARRAY) {
    const JsonArray items = value.get_array().value_unsafe();  // lives through the loop
    for (const JsonValue item : items) {
      if (auto checked = check_value(item, names); !checked) return checked;
    }
  }
  if (value.type() == element_type::OBJECT) {
    const JsonObject object = value.get_object().value_unsafe();
    if (names == JsonDocument::Names::kOnce) {
      if (auto checked = check_names(object); !checked) return checked;
    }
    for (const auto member : object) {
      if (auto checked = check_text(member.key); !checked) return checked;
      if (auto checked = check_value(member.value, names); !checked) return checked;
    }
  }
  return {};
}

// The whole body: what is wrong within a field names it.
Expected<> check_fields(JsonObject root, JsonDocument::Names names) {
  if (names == JsonDocument::Names::kOnce) {
    if (auto checked = check_names(root); !checked) return checked;
  }
  for (const auto member : root) {
    if (auto checked = check_text(member.key); !checked) return checked;
    if (auto checked = check_value(member.value, names); !checked) {
      Error error = checked.error();
      if (error.param.empty()) error.param = excerpt(member.key);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

// Behind the string that begins at `begin`.
size_t skip_string(std::string_view body, size_t begin) {
  size_t i = begin + 1;
  while (i < body.size() && body[i] != '"') i += body[i] == '\\' ? 2 : 1;
  return std::min(i + 1, body.size());
}

// At the comma or bracket behind the value that begins at `begin`.
size_t skip_value(std::string_view body, size_t begin) {
  int64_t depth = 0;
  size_t i = begin;
  while (i < body.size()) {
    const char c = body[i];
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    i = c == '"' ? skip_string(body, i) : i + 1;
  }
  return i;
}

// The body cannot be read, and where is not known: the field whose value alone cannot be, for that reason.
std::string failing_field(std::string_view body, simdjson::error_code code) {
  constexpr size_t kMaxBytes = 1 << 20;  // it is read twice more
  if (body.size() > kMaxBytes) return {};
  simdjson::dom::parser parser;
  for (size_t begin = body.find('"'); begin != body.npos; begin = body.find('"', begin)) {
    const size_t end = skip_string(body, begin);
    const std::string_view name = body.substr(begin, end - begin);
    const size_t colon = body.find(':', end);
    if (colon == body.npos || name.size() < 2) break;
    const size_t behind = skip_value(body, colon + 1);
    const std::string alone = fmt::format("[{}]", body.substr(colon + 1, behind - colon - 1));
    if (parser.parse(alone).error() == code) return excerpt(name.substr(1, name.size() - 2));
    begin = behind;
  }
  return {};
}

std::unexpected<Error> value_failure(std::string_view body, simdjson::error_code code,
                                     std::string_view what) {
  const std::string field = failing_field(body, code);
  return fail_param(field, "{} has a {}", field.empty() ? "the body" : field, what);
}

std::unexpected<Error> parse_failure(simdjson::error_code code, std::string_view body) {
  switch (code) {
    case simdjson::EMPTY:
      return fail(ErrorCode::kInvalidArgument, "the body is empty; a JSON object is expected");
    case simdjson::DEPTH_ERROR:
      return fail(ErrorCode::kInvalidArgument, "the body nests deeper than {} levels", kMaxJsonDepth);
    case simdjson::UTF8_ERROR: return fail(ErrorCode::kInvalidArgument, "the body is not valid UTF-8");
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return value_failure(body, code, "number that is malformed or out of range");
    case simdjson::STRING_ERROR:
      return value_failure(body, code, "string with a bad escape or a surrogate without its partner");
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return fail(ErrorCode::kInvalidArgument, "the body is too large to be read");
    default: return fail(ErrorCode::kInvalidArgument, "the body is not valid JSON");
  }
}

}  // namespace

Expected<JsonDocument> JsonDocument::parse(std::string_view body, Names names) {
  if (body.empty()) return parse_failure(simdjson::EMPTY, body);  // simdjson would copy from null
  JsonDocument document;
  document.parser_ = std::make_unique<simdjson::dom::parser>();
  if (const auto code = document.parser_->allocate(std::max<size_t>(body.size(), 64), kMaxJsonDepth)) {
    return parse_failure(code, body);
  }
  JsonValue root;
  if (const auto code = document.parser_->parse(body.data(), body.size()).get(root))
    return parse_failure(code, body);
  if (root.get_object().get(document.root_) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "the body must be a JSON object, but is {}", type_name(root));
  }
  if (auto checked = check_fields(document.root_, names); !checked) return std::unexpected(checked.error());
  return document;
}

std::string_view type_name(JsonValue value) {
  switch (value.type()) {
    case element_type::ARRAY: return "an array";
    case element_type::OBJECT: return "an object";
    case element_type::INT64:
    case element_type::UINT64: return "an integer";
    case element_type::DOUBLE: return "a number with a fraction or exponent";
    case element_type::STRING: return "a string";
    case element_type::BOOL: return "a boolean";
    case element_type::NULL_VALUE: return "null";
  }
  return "an unknown value";
}

std::string excerpt(std::string_view text) {
  constexpr size_t kShown = 64;
  if (text.size() <= kShown) return std::string(text);
  return fmt::format("{}...", text.substr(0, complete_utf8_length(text.substr(0, kShown))));
}

}  // namespace quire
