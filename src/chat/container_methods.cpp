// The methods of arrays and objects that change nothing.
#include "chat/access.h"
#include "chat/builtin_tables.h"
#include "chat/comparison.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

Result run_index(Rendering& rendering, const Value& self, const Arguments& arguments) {
  for (size_t i = 0; i < self.items().size(); ++i) {
    const auto equal = are_equal(rendering, self.items()[i], *arguments[0]);
    if (!equal) return std::unexpected(equal.error());
    if (*equal) return Value::integer(static_cast<int64_t>(i));
  }
  return fail(ErrorCode::kInvalidArgument, "index(): the value is not there");
}

Result run_count(Rendering& rendering, const Value& self, const Arguments& arguments) {
  int64_t count = 0;
  for (const Value& item : self.items()) {
    const auto equal = are_equal(rendering, item, *arguments[0]);
    if (!equal) return std::unexpected(equal.error());
    count += *equal;
  }
  return Value::integer(count);
}

// Values are copied when one of their owners changes them, which no template can.
Result run_copy(Rendering&, const Value& self, const Arguments&) { return self; }

Result run_get(Rendering&, const Value& self, const Arguments& arguments) {
  if (arguments[0]->is_array() || arguments[0]->is_object()) {
    return fail(ErrorCode::kInvalidArgument, "get(): a {} is never a key", type_name(*arguments[0]));
  }
  if (const Value* found = self.find(*arguments[0])) return *found;
  return arguments[1] != nullptr ? *arguments[1] : Value::null();
}

Result run_keys(Rendering& rendering, const Value& self, const Arguments&) {
  auto keys = items_of(rendering, self);
  if (!keys) return keys;
  return Value::array({keys->items().begin(), keys->items().end()}, Value::ArrayKind::kView);
}

Result run_values(Rendering& rendering, const Value& self, const Arguments&) {
  if (!rendering.spend_items(self.members().size())) return rendering.exhausted();
  std::vector<Value> values;
  for (const auto& member : self.members()) values.push_back(member.value);
  return Value::array(std::move(values), Value::ArrayKind::kView);
}

Result run_items(Rendering& rendering, const Value& self, const Arguments&) {
  return pairs_of(rendering, self, Value::ArrayKind::kView);
}

constexpr Builtin kArrayMethods[] = {
    {"copy", "", 0, run_copy},
    {"count", "value", 1, run_count},
    {"index", "value", 1, run_index},
};

constexpr Builtin kObjectMethods[] = {
    {"copy", "", 0, run_copy}, {"get", "key default", 1, run_get}, {"items", "", 0, run_items},
    {"keys", "", 0, run_keys}, {"values", "", 0, run_values},
};

}  // namespace

std::span<const Builtin> array_methods() { return kArrayMethods; }
std::span<const Builtin> object_methods() { return kObjectMethods; }

}  // namespace quire::jinja
