#include "chat/builtins.h"

#include <algorithm>
#include <array>

#include "chat/builtin_tables.h"

namespace quire::jinja {
namespace {

template <class Row>
const Row* find_row(std::span<const Row> table, std::string_view name) {
  const auto row =
      std::find_if(table.begin(), table.end(), [name](const Row& r) { return r.name == name; });
  return row == table.end() ? nullptr : &*row;
}

// What the immutable sandbox of Jinja refuses.
constexpr std::array<std::string_view, 8> kArrayChanges = {"append", "clear",   "extend", "insert",
                                                           "pop",    "reverse", "remove", "sort"};
constexpr std::array<std::string_view, 5> kObjectChanges = {"clear", "pop", "popitem", "setdefault",
                                                            "update"};

}  // namespace

const Builtin* find_filter(std::string_view name) {
  for (const auto table : {text_filters(), value_filters(), sequence_filters(), selection_filters()}) {
    if (const Builtin* row = find_row(table, name)) return row;
  }
  return nullptr;
}

const Builtin* find_function(std::string_view name) { return find_row(functions(), name); }

const Predicate* find_test(std::string_view name) { return find_row(predicates(), name); }

const Builtin* find_method(const Value& self, std::string_view name, bool& refused) {
  refused = false;
  switch (self.type()) {
    case Value::Type::kString: return find_row(string_methods(), name);
    case Value::Type::kArray:
      if (self.array_kind() == Value::ArrayKind::kView ||
          self.array_kind() == Value::ArrayKind::kGenerator) {
        return nullptr;
      }
      refused = self.array_kind() == Value::ArrayKind::kList && std::ranges::count(kArrayChanges, name) > 0;
      return refused ? nullptr : find_row(array_methods(), name);
    case Value::Type::kObject:
      refused = std::ranges::count(kObjectChanges, name) > 0;
      return refused ? nullptr : find_row(object_methods(), name);
    default: return nullptr;
  }
}

Expected<Value> call_builtin(Rendering& rendering, const Builtin& builtin, const Value& self,
                             Arguments arguments) {
  const Rendering::Frame frame(rendering);
  if (!frame.ok()) return rendering.too_deep();
  if (!rendering.spend(1 + arguments.positional.size())) return rendering.exhausted();
  if (auto ok = arguments.bind(builtin.name, builtin.parameters, builtin.required); !ok) return pass(ok);
  return builtin.run(rendering, self, arguments);
}

Expected<bool> call_test(Rendering& rendering, const Predicate& test, const Value& self,
                         Arguments arguments) {
  const Rendering::Frame frame(rendering);
  if (!frame.ok()) return rendering.too_deep();
  if (!rendering.spend(1 + arguments.positional.size())) return rendering.exhausted();
  if (auto ok = arguments.bind(test.name, test.parameters, test.required); !ok) return pass(ok);
  return test.run(rendering, self, arguments);
}

}  // namespace quire::jinja
