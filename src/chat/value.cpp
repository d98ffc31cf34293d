#include "chat/value.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/check.h"

namespace quire {
namespace {

std::string text_key(std::string_view key) {
  std::string bytes(1, 's');
  bytes += key;
  return bytes;
}

// A key as bytes that are equal exactly when Python calls the keys equal. None for what cannot be a key.
std::optional<std::string> key_bytes(const Value& key) {
  switch (key.type()) {
    case Value::Type::kString: return text_key(key.as_bytes());
    case Value::Type::kNull: return std::string(1, 'n');
    case Value::Type::kBoolean: return fmt::format("i{}", static_cast<int>(key.as_boolean()));
    case Value::Type::kInteger: return fmt::format("i{}", key.as_integer());
    case Value::Type::kNumber: {
      const double number = key.as_number();
      const bool whole = std::floor(number) == number && std::abs(number) < 0x1p62;
      if (whole) return fmt::format("i{}", static_cast<int64_t>(number));
      return fmt::format("f{:a}", number);
    }
    default: return std::nullopt;
  }
}

// Below this many members a scan is faster than the map.
constexpr size_t kScanMembers = 8;

}  // namespace

struct Value::ArrayData {
  std::vector<Value> items;
  ArrayKind kind = ArrayKind::kList;
  int32_t depth = 1;
};

struct Value::ObjectData {
  std::vector<Member> members;
  std::map<std::string, size_t> places;  // by key_bytes; empty while members are few
  int32_t depth = 1;

  std::optional<size_t> place_of(std::string_view key) const {
    if (members.size() > kScanMembers) return place_in_map(text_key(key));
    for (size_t i = 0; i < members.size(); ++i) {
      if (members[i].key.is_string() && members[i].key.as_bytes() == key) return i;
    }
    return std::nullopt;
  }

  std::optional<size_t> place_of(const Value& key) const {
    if (key.is_string()) return place_of(std::string_view(key.as_bytes()));
    const auto bytes = key_bytes(key);
    if (!bytes) return std::nullopt;
    if (members.size() > kScanMembers) return place_in_map(*bytes);
    for (size_t i = 0; i < members.size(); ++i) {
      if (key_bytes(members[i].key) == bytes) return i;
    }
    return std::nullopt;
  }

  std::optional<size_t> place_in_map(const std::string& bytes) const {
    const auto found = places.find(bytes);
    return found == places.end() ? std::nullopt : std::optional(found->second);
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

Value::Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value Value::undefined(std::string name) {
  return Value(Data(Undefined{std::make_shared<const std::string>(std::move(name))}));
}
Value Value::null() { return Value(Data(std::monostate())); }
Value Value::boolean(bool value) { return Value(Data(value)); }
Value Value::integer(int64_t value) { return Value(Data(value)); }
Value Value::number(double value) { return Value(Data(value)); }
Value Value::string(std::string bytes) { return text(MarkedText(std::move(bytes))); }
Value Value::user_text(std::string bytes) { return text(MarkedText(std::move(bytes), true)); }
Value Value::text(MarkedText text) {
  return Value(Data(std::make_shared<const MarkedText>(std::move(text))));
}
Value Value::array() { return Value(Data(std::make_shared<ArrayData>())); }
Value Value::object() { return Value(Data(std::make_shared<ObjectData>())); }
Value Value::of(TemplateObject* object) { return Value(Data(object)); }

Value Value::array(std::vector<Value> items, ArrayKind kind) {
  auto data = std::make_shared<ArrayData>();
  for (const Value& item : items) data->depth = std::max(data->depth, item.depth() + 1);
  data->items = std::move(items);
  data->kind = kind;
  return Value(Data(std::move(data)));
}

Value Value::tuple(std::vector<Value> items) { return array(std::move(items), ArrayKind::kTuple); }

Value::Type Value::type() const { return static_cast<Type>(data_.index()); }

Value::ArrayKind Value::array_kind() const { return std::get<std::shared_ptr<ArrayData>>(data_)->kind; }

std::string_view Value::undefined_name() const {
  const auto& name = std::get<Undefined>(data_).name;
  return name ? std::string_view(*name) : std::string_view("value");
}

std::span<const Value> Value::items() const { return std::get<std::shared_ptr<ArrayData>>(data_)->items; }

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
  CHECK(is_object());
  const auto& data = *std::get<std::shared_ptr<ObjectData>>(data_);
  const auto place = data.place_of(key);
  return place ? &data.members[*place].value : nullptr;
}

const Value* Value::find(const Value& key) const {
  CHECK(is_object());
  const auto& data = *std::get<std::shared_ptr<ObjectData>>(data_);
  const auto place = data.place_of(key);
  return place ? &data.members[*place].value : nullptr;
}

void Value::set(std::string key, Value value) { set(string(std::move(key)), std::move(value)); }

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
