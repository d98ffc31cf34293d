// The filters that apply another filter, or a test, to each item: map, select, reject, selectattr,
// rejectattr.
#include <optional>

#include "chat/access.h"
#include "chat/builtin_tables.h"
#include "chat/comparison.h"
#include "chat/item_keys.h"
#include "chat/parameters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

// The arguments without the first `count` of those by place.
Arguments arguments_after(const Arguments& arguments, size_t count) {
  Arguments rest;
  rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(count),
                         arguments.positional.end());
  rest.named = arguments.named;
  return rest;
}

Result map_attribute(Rendering& rendering, const Value& items, const Arguments& arguments) {
  const Value* fallback = arguments.find_named("default");
  if (arguments.named.size() > 1 + (fallback != nullptr)) {
    return fail(ErrorCode::kInvalidArgument, "map(attribute=...) takes nothing more than a default");
  }
  const AttributePath path(*arguments.find_named("attribute"));
  if (!rendering.spend(items.items().size())) return rendering.exhausted();
  std::vector<Value> mapped;
  for (const Value& item : items.items()) {
    auto value = path.of(rendering, item);
    if (!value) return value;
    mapped.push_back(value->is_undefined() && is_given(fallback) ? *fallback : *std::move(value));
  }
  return Value::array(std::move(mapped), Value::ArrayKind::kGenerator);
}

// What is false (none as well) has no items here, and the arguments are not looked at.
Value no_items() { return Value::array({}, Value::ArrayKind::kGenerator); }

Result run_map(Rendering& rendering, const Value& self, const Arguments& arguments) {
  if (!is_true(self)) return no_items();
  const auto items = items_of(rendering, self);
  if (!items) return items;
  if (arguments.positional.empty() && arguments.find_named("attribute") != nullptr) {
    return map_attribute(rendering, *items, arguments);
  }
  if (arguments.positional.empty() || !arguments.positional[0].is_string()) {
    return fail(ErrorCode::kInvalidArgument, "map() needs the name of a filter, or an attribute");
  }
  const Builtin* filter = find_filter(arguments.positional[0].as_bytes());
  if (filter == nullptr) {
    return fail(ErrorCode::kUnsupported, "no filter named '{}'",
                arguments.positional[0].as_bytes().substr(0, 80));
  }
  const Arguments rest = arguments_after(arguments, 1);
  std::vector<Value> mapped;
  for (const Value& item : items->items()) {
    auto value = call_builtin(rendering, *filter, item, rest);
    if (!value) return value;
    mapped.push_back(*std::move(value));
  }
  return Value::array(std::move(mapped), Value::ArrayKind::kGenerator);
}

template <bool by_attribute, bool wanted>
Result run_select(Rendering& rendering, const Value& self, const Arguments& arguments) {
  if (!is_true(self)) return no_items();
  const auto items = items_of(rendering, self);
  if (!items) return items;
  std::optional<AttributePath> path;
  if (by_attribute) {
    if (arguments.positional.empty())
      return fail(ErrorCode::kInvalidArgument, "an attribute's name is missing");
    path.emplace(arguments.positional[0]);
  }
  const Predicate* test = nullptr;
  Arguments rest;
  if (arguments.positional.size() > by_attribute) {
    const Value& name = arguments.positional[by_attribute];
    test = name.is_string() ? find_test(name.as_bytes()) : nullptr;
    if (test == nullptr) return fail(ErrorCode::kUnsupported, "no such test in a selection");
    rest = arguments_after(arguments, by_attribute + 1);
  }
  std::vector<Value> selected;
  for (const Value& item : items->items()) {
    if (!rendering.spend(1)) return rendering.exhausted();
    auto subject = path ? path->of(rendering, item) : Result(item);
    if (!subject) return subject;
    const auto holds =
        test != nullptr ? call_test(rendering, *test, *subject, rest) : Expected<bool>(is_true(*subject));
    if (!holds) return std::unexpected(holds.error());
    if (*holds == wanted) selected.push_back(item);
  }
  return Value::array(std::move(selected), Value::ArrayKind::kGenerator);
}

constexpr Builtin kSelectionFilters[] = {
    {"map", "*", 0, run_map},
    {"reject", "*", 0, run_select<false, false>},
    {"rejectattr", "*", 0, run_select<true, false>},
    {"select", "*", 0, run_select<false, true>},
    {"selectattr", "*", 0, run_select<true, true>},
};

}  // namespace

std::span<const Builtin> selection_filters() { return kSelectionFilters; }

}  // namespace quire::jinja
