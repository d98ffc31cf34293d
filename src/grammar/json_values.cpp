#include "grammar/json_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace quire {
namespace {

using simdjson::dom::element_type;
using Member = std::pair<std::string_view, SchemaValue>;

std::vector<Member> sorted_members(SchemaValue value) {
  const simdjson::dom::object object = value.get_object().value_unsafe();
  std::vector<Member> members;
  for (const auto member : object) members.emplace_back(member.key, member.value);
  std::ranges::sort(members, {}, &Member::first);
  return members;
}

Expected<> check_string(std::string_view text) {
  if (is_valid_utf8(text)) return {};
  return fail(ErrorCode::kInvalidArgument, "the schema has a string that is not valid Unicode");
}

void append_number(double number, std::string& out) {
  if (number == 0) number = 0;  // minus zero is zero
  if (number == std::floor(number)) {
    fmt::format_to(std::back_inserter(out), "{:.0f}", number);
  } else {
    fmt::format_to(std::back_inserter(out), "{}", number);
  }
}

void append_canonical(SchemaValue value, std::string& out) {
  switch (value.type()) {
    case element_type::OBJECT: {
      out += '{';
      for (const auto& [name, inner] : sorted_members(value)) {
        append_json_string(out, name);
        out += ':';
        append_canonical(inner, out);
        out += ',';
      }
      out += '}';
      return;
    }
    case element_type::ARRAY: {
      out += '[';
      const simdjson::dom::array items = value.get_array().value_unsafe();
      for (const SchemaValue item : items) {
        append_canonical(item, out);
        out += ',';
      }
      out += ']';
      return;
    }
    case element_type::STRING: append_json_string(out, value.get_string().value_unsafe()); return;
    case element_type::DOUBLE: append_number(value.get_double().value_unsafe(), out); return;
    default: out += simdjson::minify(value);
  }
}

void append_python(SchemaValue value, std::string& out) {
  switch (value.type()) {
    case element_type::OBJECT: {
      out += '{';
      const simdjson::dom::object members = value.get_object().value_unsafe();
      for (const auto member : members) {
        if (out.back() != '{') out += ", ";
        append_json_string(out, member.key);
        out += ": ";
        append_python(member.value, out);
      }
      out += '}';
      return;
    }
    case element_type::ARRAY: {
      out += '[';
      const simdjson::dom::array items = value.get_array().value_unsafe();
      for (const SchemaValue item : items) {
        if (out.back() != '[') out += ", ";
        append_python(item, out);
      }
      out += ']';
      return;
    }
    case element_type::STRING: append_json_string(out, value.get_string().value_unsafe()); return;
    case element_type::BOOL: out += value.get_bool().value_unsafe() ? "True" : "False"; return;
    case element_type::NULL_VALUE: out += "None"; return;
    default: out += simdjson::minify(value);
  }
}

}  // namespace

Expected<> check_document(SchemaValue value) {
  if (value.is_string()) return check_string(value.get_string().value_unsafe());
  if (value.is_array()) {
    const simdjson::dom::array items = value.get_array().value_unsafe();
    for (const SchemaValue item : items) {
      if (auto checked = check_document(item); !checked) return checked;
    }
  }
  if (!value.is_object()) return {};
  const auto members = sorted_members(value);
  const auto twice = std::ranges::adjacent_find(members, {}, &Member::first);
  if (twice != members.end()) {
    const std::string_view name = twice->first.substr(0, 64);
    return fail(ErrorCode::kInvalidArgument, "the schema has an object with the name '{}' more than once",
                name.substr(0, complete_utf8_length(name)));
  }
  for (const auto& [name, inner] : members) {
    if (auto checked = check_string(name); !checked) return checked;
    if (auto checked = check_document(inner); !checked) return checked;
  }
  return {};
}

std::string canonical_json(SchemaValue value) {
  std::string out;
  append_canonical(value, out);
  return out;
}

std::string python_literal(SchemaValue value) {
  std::string out;
  append_python(value, out);
  return out;
}

SharedValues list_values(const std::vector<SchemaValue>& values) {
  ValueList list;
  list.reserve(values.size());
  for (const SchemaValue value : values) list.push_back({canonical_json(value), value});
  std::ranges::stable_sort(list, {}, &ListedValue::canonical);
  const auto same = std::ranges::unique(list, {}, &ListedValue::canonical);
  list.erase(same.begin(), same.end());
  return std::make_shared<const ValueList>(std::move(list));
}

SharedValues values_of_both(const ValueList& a, const ValueList& b) {
  ValueList both;
  std::ranges::set_intersection(a, b, std::back_inserter(both), {}, &ListedValue::canonical,
                                &ListedValue::canonical);
  return std::make_shared<const ValueList>(std::move(both));
}

bool share_a_value(const ValueList& a, const ValueList& b, int64_t& steps) {
  auto ours = a.begin();
  auto theirs = b.begin();
  while (ours != a.end() && theirs != b.end() && --steps >= 0) {
    const int order = ours->canonical.compare(theirs->canonical);
    if (order == 0) return true;
    if (order < 0) ++ours;
    if (order > 0) ++theirs;
  }
  return false;
}

}  // namespace quire
