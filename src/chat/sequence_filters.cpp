// The filters on whole sequences: ends, order, sums, joins.
#include <algorithm>

#include "chat/access.h"
#include "chat/arithmetic.h"
#include "chat/builtin_tables.h"
#include "chat/comparison.h"
#include "chat/item_keys.h"
#include "chat/parameters.h"
#include "chat/python_text.h"
#include "chat/text_editing.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

template <bool from_end>
Result run_end(Rendering& rendering, const Value& self, const Arguments&) {
  if (from_end && self.is_array_of(Value::ArrayKind::kGenerator)) {
    return fail(ErrorCode::kInvalidArgument, "a generator cannot be read from its end");
  }
  const auto items = items_of(rendering, self);
  if (!items) return items;
  if (items->items().empty()) return Value::undefined(from_end ? "last item" : "first item");
  return from_end ? items->items().back() : items->items().front();
}

Result run_join(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto separator = to_str(rendering, arguments[0] != nullptr ? *arguments[0] : Value::string(""));
  auto items = items_of(rendering, self);
  if (!separator) return separator;
  if (!items) return items;
  if (!is_given(arguments[1])) return join(rendering, separator->as_text(), items->items(), true);
  const auto keys = keys_of(rendering, items->items(), {arguments[1], true});
  if (!keys) return std::unexpected(keys.error());
  return join(rendering, separator->as_text(), *keys, true);
}

Result run_list(Rendering& rendering, const Value& self, const Arguments&) {
  const auto items = items_of(rendering, self);
  if (!items || items->is_array_of(Value::ArrayKind::kList)) return items;
  if (!rendering.spend_items(items->items().size())) return rendering.exhausted();
  return Value::array({items->items().begin(), items->items().end()});
}

Result run_reverse(Rendering& rendering, const Value& self, const Arguments&) {
  if (self.is_string()) return slice_of(rendering, self, Value::null(), Value::null(), Value::integer(-1));
  if (self.is_array_of(Value::ArrayKind::kGenerator)) {
    return fail(ErrorCode::kInvalidArgument, "a generator cannot be read from its end");
  }
  const auto items = items_of(rendering, self);
  if (!items) return items;
  if (!rendering.spend_items(items->items().size())) return rendering.exhausted();
  return Value::array({items->items().rbegin(), items->items().rend()}, Value::ArrayKind::kGenerator);
}

Result sort_by(Rendering& rendering, std::span<const Value> items, const KeyRule& rule, bool reverse) {
  const auto keys = keys_of(rendering, items, rule);
  if (!keys) return std::unexpected(keys.error());
  const auto places = sorted_places(rendering, *keys, reverse);
  if (!places) return std::unexpected(places.error());
  std::vector<Value> sorted;
  for (const size_t place : *places) sorted.push_back(items[place]);
  return Value::array(std::move(sorted));
}

Result run_sort(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto items = items_of(rendering, self);
  if (!items) return items;
  return sort_by(rendering, items->items(), {arguments[2], read_flag(arguments[1])},
                 read_flag(arguments[0]));
}

Result run_dictsort(Rendering& rendering, const Value& self, const Arguments& arguments) {
  if (!self.is_object())
    return fail(ErrorCode::kInvalidArgument, "dictsort takes a dict, not {}", type_name(self));
  const std::string by =
      is_given(arguments[1]) && arguments[1]->is_string() ? arguments[1]->as_bytes() : "key";
  if (by != "key" && by != "value")
    return fail(ErrorCode::kInvalidArgument, "dictsort is by 'key' or by 'value'");
  const auto pairs = pairs_of(rendering, self, Value::ArrayKind::kList);
  if (!pairs) return pairs;
  const Value place = Value::integer(by == "key" ? 0 : 1);
  return sort_by(rendering, pairs->items(), {&place, read_flag(arguments[0])}, read_flag(arguments[2]));
}

Result run_items(Rendering& rendering, const Value& self, const Arguments&) {
  if (self.is_undefined()) return Value::array({}, Value::ArrayKind::kGenerator);
  if (!self.is_object())
    return fail(ErrorCode::kInvalidArgument, "items takes a dict, not {}", type_name(self));
  return pairs_of(rendering, self, Value::ArrayKind::kGenerator);
}

Result run_unique(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto items = items_of(rendering, self);
  if (!items) return items;
  const auto keys = keys_of(rendering, items->items(), {arguments[1], read_flag(arguments[0])});
  if (!keys) return std::unexpected(keys.error());
  Value seen = Value::object();
  std::vector<Value> unique;
  for (size_t i = 0; i < keys->size(); ++i) {
    const Value& key = (*keys)[i];
    if (key.is_array() || key.is_object()) {
      return fail(ErrorCode::kInvalidArgument, "unique does not take a {}", type_name(key));
    }
    if (key.is_string() && !rendering.spend_bytes(key.as_text().size())) return rendering.exhausted();
    if (seen.find(key) != nullptr) continue;
    seen.set(key, Value::null());
    unique.push_back(items->items()[i]);
  }
  return Value::array(std::move(unique), Value::ArrayKind::kGenerator);
}

template <bool largest>
Result run_extreme(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto items = items_of(rendering, self);
  if (!items) return items;
  const auto keys = keys_of(rendering, items->items(), {arguments[1], read_flag(arguments[0])});
  if (!keys) return std::unexpected(keys.error());
  if (keys->empty()) return Value::undefined("item of an empty sequence");
  size_t best = 0;
  for (size_t i = 1; i < keys->size(); ++i) {
    const auto order = compare(rendering, (*keys)[i], (*keys)[best]);
    if (!order) return std::unexpected(order.error());
    if (largest ? *order > 0 : *order < 0) best = i;
  }
  return items->items()[best];
}

Result run_sum(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto items = items_of(rendering, self);
  if (!items) return items;
  const auto terms = keys_of(rendering, items->items(), {arguments[0], true});
  if (!terms) return std::unexpected(terms.error());
  Result total = arguments[1] != nullptr ? *arguments[1] : Value::integer(0);
  if (total->is_string()) return fail(ErrorCode::kInvalidArgument, "sum does not take strings");
  for (const Value& term : *terms) {
    total = apply_operator(rendering, Operator::kAdd, *total, term);
    if (!total) break;
  }
  return total;
}

constexpr Builtin kSequenceFilters[] = {
    {"dictsort", "case_sensitive by reverse", 0, run_dictsort},
    {"first", "", 0, run_end<false>},
    {"items", "", 0, run_items},
    {"join", "d attribute", 0, run_join},
    {"last", "", 0, run_end<true>},
    {"list", "", 0, run_list},
    {"max", "case_sensitive attribute", 0, run_extreme<true>},
    {"min", "case_sensitive attribute", 0, run_extreme<false>},
    {"reverse", "", 0, run_reverse},
    {"sort", "reverse case_sensitive attribute", 0, run_sort},
    {"sum", "attribute start", 0, run_sum},
    {"unique", "case_sensitive attribute", 0, run_unique},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kSequenceFilters; }

}  // namespace quire::jinja
