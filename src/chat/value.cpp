#include "chat/value.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/check.h"

namespace quire {
namespace {

// A key as bytes that are equal exactly when Python calls the keys equal. None for what cannot be a key.
std::optional<std::string> key_bytes(const Value& key) {
  switch (key.type()) {
    case Value::Type::kString:
      return "s" + key.as_bytes();
    case Value::Type::kNull:
      return "n";
    case Value::Type::kBoolean:
      return key.as_boolean() ? "i1" : "i0";
    case Value::Type::kInteger:
      return "i" + std::to_string(key.as_integer());
    case Value::Type::kNumber: {
      const double number = key.as_number();
      const bool whole = std::floor(number) == number && std::abs(number) < 0x1p62;
      if (whole) return "i" + std::to_string(static_cast<int64_t>(number));
      return "f" + fmt::format("{:a}", number);
    }
    default:
      return std::nullopt;
  }
}

// Below this many members a scan is faster than the map.
constexpr size_t kScanMembers = 8;

}  // namespace

struct Value::ArrayData {
  std::vector<Value> items;
  bool is_tuple = false;
  int32_t depth = 1;
};

struct Value::ObjectData {
  std::vector<Member> members;
  std::map<std::string, size_t> places;  // by key_bytes; empty while members are few
  int32_t depth = 1;

  std::optional<size_t> place_of(const Value& key) const {
    if (members.size() <= kScanMembers && key.is_string()) {
      for (size_t i = 0; i < members.size(); ++i) {
        if (members[i].key.is_string() && members[i].key.as_bytes() == key.as_bytes()) return i;
      }
      return std::nullopt;
    }
    const auto bytes = key_bytes(key);
    if (!bytes) return std::nullopt;
    if (members.size() > kScanMembers) {
      const auto found = places.find(*bytes);
      return found == places.end() ? std::nullopt : std::optional(found->second);
    }
    for (size_t i = 0; i < members.size(); ++i) {
      if (key_bytes(members[i].key) == bytes) return i;
    }
    return std::nullopt;
  }

  void add(Value key, Value value) {
    members.push_back({std::move(key), std::move(value)});
    if (members.size() <= kScanMembers) return;
    const size_t first = places.empty() ? 0 : members.size() - 1;
    for (size_t i = first; i < members.size(); ++i) {
      if (auto bytes = key_bytes(members[i].key)) places.emplace(*std::move(bytes), i);
    }
  }
};

Value Value::undefined(std::string name) {
  return Value(Data(Undefined{std::make_shared<const std::string>(std::move(name))}));
}
Value Value::null() {
  return Value(Data(std::monostate()));
}
Value Value::boolean(bool value) {
  return Value(Data(value));
}
Value Value::integer(int64_t value) {
  return Value(Data(value));
}
Value Value::number(double value) {
  return Value(Data(value));
}
Value Value::string(std::string bytes) {
  return text(MarkedText(std::move(bytes)));
}
Value Value::user_text(std::string bytes) {
  return text(MarkedText(std::move(bytes), true));
}
Value Value::text(MarkedText text) {
  return Value(Data(std::make_shared<const MarkedText>(std::move(text))));
}
Value Value::array() {
  return Value(Data(std::make_shared<ArrayData>()));
}
Value Value::object() {
  return Value(Data(std::make_shared<ObjectData>()));
}
Value Value::of(TemplateNamespace* names) {
  return Value(Data(names));
}
Value Value::of(const Callable* callable) {
  return Value(Data(callable));
}

Value Value::array(std::vector<Value> items) {
  auto data = std::make_shared<ArrayData>();
  for (const Value& item : items) data->depth = std::max(data->depth, item.depth() + 1);
  data->items = std::move(items);
  return Value(Data(std::move(data)));
}

Value Value::tuple(std::vector<Value> items) {
  Value value = array(std::move(items));
  std::get<std::shared_ptr<ArrayData>>(value.data_)->is_tuple = true;
  return value;
}

Value::Type Value::type() const {
  return static_cast<Type>(data_.index());
}

bool Value::is_tuple() const {
  return is_array() && std::get<std::shared_ptr<ArrayData>>(data_)->is_tuple;
}

std::string_view Value::undefined_name() const {
  const auto& name = std::get<Undefined>(data_).name;
  return name ? std::string_view(*name) : std::string_view("value");
}

std::span<const Value> Value::items() const {
  return std::get<std::shared_ptr<ArrayData>>(data_)->items;
}

void Value::push_back(Value item) {
  CHECK(is_array());
  auto& data = std::get<std::shared_ptr<ArrayData>>(data_);
  if (data.use_count() > 1) data = std::make_shared<ArrayData>(*data);
  data->depth = std::max(data->depth, item.depth() + 1);
  data->items.push_back(std::move(item));
}

std::span<const Value::Member> Value::members() const {
  return std::get<std::shared_ptr<ObjectData>>(data_)->members;
}

const Value* Value::find(std::string_view key) const {
  return find(string(std::string(key)));
}

const Value* Value::find(const Value& key) const {
  CHECK(is_object());
  const auto& data = *std::get<std::shared_ptr<ObjectData>>(data_);
  const auto place = data.place_of(key);
  return place ? &data.members[*place].value : nullptr;
}

void Value::set(std::string key, Value value) {
  set(string(std::move(key)), std::move(value));
}

void Value::set(Value key, Value value) {
  CHECK(is_object());
  auto& data = std::get<std::shared_ptr<ObjectData>>(data_);
  if (data.use_count() > 1) data = std::make_shared<ObjectData>(*data);
  data->depth = std::max(data->depth, value.depth() + 1);
  if (const auto place = data->place_of(key)) {
    data->members[*place].value = std::move(value);
  } else {
    data->add(std::move(key), std::move(value));
  }
}

int32_t Value::depth() const {
  if (is_array()) return std::get<std::shared_ptr<ArrayData>>(data_)->depth;
  if (is_object()) return std::get<std::shared_ptr<ObjectData>>(data_)->depth;
  return 0;
}

}  // namespace quire
