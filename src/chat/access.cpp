#include "chat/access.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "chat/characters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

// value.name, kept for a later call.
class BoundMethod final : public TemplateObject {
 public:
  BoundMethod(Rendering& rendering, Value self, const Builtin& method)
      : rendering_(rendering), self_(std::move(self)), method_(method) {}

  std::string_view description() const override { return method_.name; }
  bool is_callable() const override { return true; }
  Expected<Value> call(Arguments arguments) override {
    return call_builtin(rendering_, method_, self_, std::move(arguments));
  }

 private:
  Rendering& rendering_;
  const Value self_;
  const Builtin& method_;
};

std::unexpected<Error> is_undefined(const Value& value) {
  return fail(ErrorCode::kInvalidArgument, "'{}' is undefined", value.undefined_name());
}

Value missing(const Value& object, const Value& key) {
  const std::string_view name = key.is_string() ? std::string_view(key.as_bytes()).substr(0, 80) : "item";
  return Value::undefined(fmt::format("{} of a {}", name, type_name(object)));
}

// The method, or a value that says why there is none.
std::optional<Value> find_bound_method(Rendering& rendering, const Value& object, const Value& name) {
  bool refused = false;
  const Builtin* method = find_method(object, name.as_bytes(), refused);
  if (refused) return Value::undefined(fmt::format("{} (values cannot be changed)", name.as_bytes()));
  if (method == nullptr) return std::nullopt;
  return rendering.make<BoundMethod>(rendering, object, *method);
}

bool can_subscript(const Value& value) {
  return value.is_array_of(Value::ArrayKind::kList) || value.is_array_of(Value::ArrayKind::kTuple);
}

Expected<Value> character_of(Rendering& rendering, const MarkedText& text, int64_t index) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  if (index < 0) index += static_cast<int64_t>(count_characters(text.bytes()));
  if (index < 0) return Value();
  const size_t begin = byte_offset(text.bytes(), static_cast<size_t>(index));
  if (begin == text.size()) return Value();
  return Value::text(text.slice(begin, begin + character_at(text.bytes(), begin).length));
}

// Where a slice starts and stops, after Python's rules for `length` items; `step` is not 0.
struct SlicePlan {
  int64_t begin = 0, count = 0, step = 1;
};

SlicePlan plan_slice(int64_t length, std::optional<int64_t> begin, std::optional<int64_t> end,
                     int64_t step) {
  const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? length : length - 1;
  const auto place = [&](std::optional<int64_t> at, int64_t otherwise) {
    if (!at) return otherwise;
    return std::clamp(*at < 0 ? *at + length : *at, lowest, highest);
  };
  const int64_t from = place(begin, step > 0 ? lowest : highest);
  const int64_t to = place(end, step > 0 ? highest : lowest);
  // Lengths are far below 2^62, so the distances do not overflow; a step may be anything.
  const int64_t distance = step > 0 ? to - from : from - to;
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  const int64_t count =
      distance <= 0 ? 0 : static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride) + 1;
  return {from, count, step};
}

Expected<std::optional<int64_t>> slice_bound(const Value& value) {
  if (value.is_null()) return std::nullopt;
  const auto index = as_index(value);
  if (!index) return fail(ErrorCode::kInvalidArgument, "a slice takes integers, not {}", type_name(value));
  return index;
}

Expected<Value> slice_text(Rendering& rendering, const MarkedText& text, std::optional<int64_t> begin,
                           std::optional<int64_t> end, int64_t step) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  const auto length = static_cast<int64_t>(count_characters(text.bytes()));
  const SlicePlan plan = plan_slice(length, begin, end, step);
  if (plan.count == 0) return Value::string("");
  if (step == 1) {
    const size_t from = byte_offset(text.bytes(), static_cast<size_t>(plan.begin));
    const std::string_view tail = std::string_view(text.bytes()).substr(from);
    return Value::text(text.slice(from, from + byte_offset(tail, static_cast<size_t>(plan.count))));
  }
  std::vector<size_t> starts;  // of each character, and the end
  if (!rendering.spend_items(static_cast<size_t>(length))) return rendering.exhausted();
  for (size_t at = 0; at < text.size(); at += character_at(text.bytes(), at).length) starts.push_back(at);
  starts.push_back(text.size());
  MarkedText out;
  for (int64_t i = 0; i < plan.count; ++i) {
    const auto at = static_cast<size_t>(plan.begin + i * step);
    out.append(text, starts[at], starts[at + 1]);
  }
  return Value::text(std::move(out));
}

}  // namespace

std::optional<int64_t> as_index(const Value& value) {
  if (value.is_integer()) return value.as_integer();
  if (value.is_boolean()) return value.as_boolean();
  return std::nullopt;
}

Expected<Value> attribute_of(Rendering& rendering, const Value& object, const Value& name) {
  if (object.is_undefined()) return is_undefined(object);
  if (object.is_template_object()) return object.as_template_object().attribute(name.as_bytes());
  if (auto method = find_bound_method(rendering, object, name)) return *std::move(method);
  if (object.is_object()) {
    if (const Value* member = object.find(name)) return *member;
  }
  return missing(object, name);
}

Expected<Value> item_of(Rendering& rendering, const Value& object, const Value& key) {
  if (object.is_undefined()) return is_undefined(object);
  if (object.is_object()) {
    if (key.is_string() && !rendering.spend_bytes(key.as_text().size())) return rendering.exhausted();
    if (const Value* member = object.find(key)) return *member;
  }
  if (key.is_string()) {
    if (object.is_template_object()) return object.as_template_object().attribute(key.as_bytes());
    if (auto method = find_bound_method(rendering, object, key)) return *std::move(method);
    return missing(object, key);
  }
  const auto index = as_index(key);
  if (!index) return missing(object, key);
  if (object.is_string()) {
    auto character = character_of(rendering, object.as_text(), *index);
    if (!character || !character->is_undefined()) return character;
  }
  if (can_subscript(object)) {
    const auto size = static_cast<int64_t>(object.items().size());
    const int64_t at = *index < 0 ? *index + size : *index;
    if (at >= 0 && at < size) return object.items()[static_cast<size_t>(at)];
  }
  return missing(object, key);
}

Expected<Value> slice_of(Rendering& rendering, const Value& object, const Value& begin, const Value& end,
                         const Value& step) {
  if (object.is_undefined()) return is_undefined(object);
  const auto from = slice_bound(begin), to = slice_bound(end), stride = slice_bound(step);
  for (const auto* bound : {&from, &to, &stride}) {
    if (!*bound) return std::unexpected(bound->error());
  }
  const int64_t every = stride->value_or(1);
  if (every == 0) return fail(ErrorCode::kInvalidArgument, "the step of a slice cannot be 0");
  if (object.is_string()) return slice_text(rendering, object.as_text(), *from, *to, every);
  if (!can_subscript(object)) return missing(object, Value::string("slice"));
  const SlicePlan plan = plan_slice(static_cast<int64_t>(object.items().size()), *from, *to, every);
  if (!rendering.spend_items(static_cast<size_t>(plan.count))) return rendering.exhausted();
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(plan.count));
  for (int64_t i = 0; i < plan.count; ++i) {
    items.push_back(object.items()[static_cast<size_t>(plan.begin + i * plan.step)]);
  }
  return Value::array(std::move(items), object.array_kind());
}

Expected<Value> characters_of(Rendering& rendering, const MarkedText& text) {
  if (!rendering.spend(text.size())) return rendering.exhausted();
  std::vector<Value> characters;
  for (size_t at = 0; at < text.size();) {
    const size_t end = at + character_at(text.bytes(), at).length;
    characters.push_back(Value::text(text.slice(at, end)));
    at = end;
  }
  return Value::array(std::move(characters));
}

Expected<Value> items_of(Rendering& rendering, const Value& value) {
  if (value.is_array()) return value;
  if (value.is_undefined()) return Value::array();
  if (value.is_string()) return characters_of(rendering, value.as_text());
  if (value.is_object()) {
    if (!rendering.spend_items(value.members().size())) return rendering.exhausted();
    std::vector<Value> keys;
    for (const auto& member : value.members()) keys.push_back(member.key);
    return Value::array(std::move(keys));
  }
  return fail(ErrorCode::kInvalidArgument, "a value of type {} cannot be gone through", type_name(value));
}

Expected<Value> pairs_of(Rendering& rendering, const Value& object, Value::ArrayKind kind) {
  if (!rendering.spend(object.members().size())) return rendering.exhausted();
  std::vector<Value> pairs;
  for (const auto& [key, value] : object.members()) pairs.push_back(Value::tuple({key, value}));
  return Value::array(std::move(pairs), kind);
}

Expected<int64_t> length_of(Rendering& rendering, const Value& value) {
  if (value.is_undefined()) return 0;
  if (value.is_string()) {
    if (!rendering.spend_bytes(value.as_text().size())) return rendering.exhausted();
    return static_cast<int64_t>(count_characters(value.as_bytes()));
  }
  if (value.is_object()) return static_cast<int64_t>(value.members().size());
  if (value.is_array() && value.array_kind() != Value::ArrayKind::kGenerator) {
    return static_cast<int64_t>(value.items().size());
  }
  return fail(ErrorCode::kInvalidArgument, "a value of type {} has no length", type_name(value));
}

}  // namespace quire::jinja
