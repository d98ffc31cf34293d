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

std::unexpected<Error> parse_failure(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return fail(ErrorCode::kInvalidArgument, "the body is empty; a JSON object is expected");
    case simdjson::DEPTH_ERROR:
      return fail(ErrorCode::kInvalidArgument, "the body nests deeper than {} levels", kMaxJsonDepth);
    case simdjson::UTF8_ERROR: return fail(ErrorCode::kInvalidArgument, "the body is not valid UTF-8");
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return fail(ErrorCode::kInvalidArgument, "the body has a number that is malformed or out of range");
    case simdjson::STRING_ERROR:
      return fail(ErrorCode::kInvalidArgument,
                  "the body has a string with a bad escape or a surrogate without its partner");
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return fail(ErrorCode::kInvalidArgument, "the body is too large to be read");
    default: return fail(ErrorCode::kInvalidArgument, "the body is not valid JSON");
  }
}

}  // namespace

Expected<JsonDocument> JsonDocument::parse(std::string_view body, Names names) {
  if (body.empty()) return parse_failure(simdjson::EMPTY);  // simdjson would copy from null
  JsonDocument document;
  document.parser_ = std::make_unique<simdjson::dom::parser>();
  if (const auto code = document.parser_->allocate(std::max<size_t>(body.size(), 64), kMaxJsonDepth)) {
    return parse_failure(code);
  }
  JsonValue root;
  if (const auto code = document.parser_->parse(body.data(), body.size()).get(root))
    return parse_failure(code);
  if (root.get_object().get(document.root_) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "the body must be a JSON object, but is {}", type_name(root));
  }
  if (auto checked = check_value(root, names); !checked) return std::unexpected(checked.error());
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
