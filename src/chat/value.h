// The values that chat templates compute with: JSON's, with strings that remember which of their bytes a
// user wrote, and three kinds that only a template makes (undefined, namespaces, callables).
//
// To build one from JSON: Value::object() and set(), Value::array() and push_back(), and the scalars below;
// what a user wrote (contents, names, tool arguments, their keys too) is Value::user_text, all else
// Value::string. Whoever builds from JSON bounds its nesting (ChatTemplate::render refuses a context deeper
// than kMaxValueDepth).
//
// Copies are cheap: strings and containers are shared, and copied when one of several owners changes its
// own. One thread builds a value; then any number may read copies of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chat/marked_text.h"

namespace quire {

class TemplateObject;  // chat/template_object.h; owned by the rendering that made it

// Containers within containers, in a context and in what a template builds.
inline constexpr int32_t kMaxValueDepth = 128;

class Value {
 public:
  enum class Type : uint8_t {
    kUndefined,
    kNull,
    kBoolean,
    kInteger,
    kNumber,
    kString,
    kArray,  // Python's list and what behaves like one: see ArrayKind
    kObject,
    kTemplateObject,  // a namespace, macro, loop, function
  };
  // Which of Python's sequences an array is. All are kept as whole arrays; a generator can be read again
  // here.
  enum class ArrayKind : uint8_t { kList, kTuple, kView, kGenerator };
  struct Member;

  Value();  // undefined
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  static Value undefined(std::string name);  // `name` is what an error message calls it
  static Value null();
  static Value boolean(bool value);
  static Value integer(int64_t value);
  static Value number(double value);
  static Value string(std::string bytes);
  static Value user_text(std::string bytes);
  static Value text(MarkedText text);
  static Value array();
  static Value array(std::vector<Value> items, ArrayKind kind = ArrayKind::kList);
  static Value tuple(std::vector<Value> items);
  static Value object();
  static Value of(TemplateObject* object);

  Type type() const;
  bool is_undefined() const { return type() == Type::kUndefined; }
  bool is_null() const { return type() == Type::kNull; }
  bool is_boolean() const { return type() == Type::kBoolean; }
  bool is_integer() const { return type() == Type::kInteger; }
  bool is_number() const { return type() == Type::kNumber; }
  bool is_string() const { return type() == Type::kString; }
  bool is_array() const { return type() == Type::kArray; }  // of any ArrayKind
  bool is_array_of(ArrayKind kind) const { return is_array() && array_kind() == kind; }
  bool is_object() const { return type() == Type::kObject; }
  bool is_template_object() const { return type() == Type::kTemplateObject; }

  // Each requires its type.
  bool as_boolean() const { return std::get<bool>(data_); }
  int64_t as_integer() const { return std::get<int64_t>(data_); }
  double as_number() const { return std::get<double>(data_); }
  const MarkedText& as_text() const { return *std::get<TextPointer>(data_); }
  const std::string& as_bytes() const { return as_text().bytes(); }
  TemplateObject& as_template_object() const { return *std::get<TemplateObject*>(data_); }
  std::string_view undefined_name() const;

  // Requires an array.
  ArrayKind array_kind() const;
  // Requires an array. The span lives as long as some owner of the array does and nobody changes it.
  std::span<const Value> items() const;
  void push_back(Value item);

  // Requires an object. Members are in order of insertion; setting a key again keeps its place. Keys
  // compare as in Python (1, 1.0 and true are one key); an array or object is never found as a key.
  std::span<const Member> members() const;
  const Value* find(std::string_view key) const;
  const Value* find(const Value& key) const;
  void set(std::string key, Value value);
  void set(Value key, Value value);

  // Containers nested in this one, itself included: 0 for a scalar, 1 for an empty array.
  int32_t depth() const;

 private:
  struct Undefined {
    std::shared_ptr<const std::string> name;
  };
  struct ArrayData;
  struct ObjectData;
  using TextPointer = std::shared_ptr<const MarkedText>;
  using Data = std::variant<Undefined, std::monostate, bool, int64_t, double, TextPointer,
                            std::shared_ptr<ArrayData>, std::shared_ptr<ObjectData>, TemplateObject*>;
  explicit Value(Data data) : data_(std::move(data)) {}

  Data data_;
};

struct Value::Member {
  Value key;
  Value value;
};

}  // namespace quire
