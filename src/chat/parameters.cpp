#include "chat/parameters.h"

#include "chat/access.h"
#include "chat/comparison.h"
#include "chat/python_text.h"

namespace quire::jinja {

Expected<int64_t> read_integer(const Value* argument, std::string_view name, int64_t fallback) {
  if (!is_given(argument)) return fallback;
  const auto number = as_index(*argument);
  if (!number)
    return fail(ErrorCode::kInvalidArgument, "'{}' must be an integer, not {}", name, type_name(*argument));
  return *number;
}

Expected<const MarkedText*> read_text(const Value* argument, std::string_view name) {
  if (argument == nullptr) return fail(ErrorCode::kInvalidArgument, "'{}' is missing", name);
  if (!argument->is_string()) {
    return fail(ErrorCode::kInvalidArgument, "'{}' must be a string, not {}", name, type_name(*argument));
  }
  return &argument->as_text();
}

bool read_flag(const Value* argument) { return argument != nullptr && is_true(*argument); }

}  // namespace quire::jinja
