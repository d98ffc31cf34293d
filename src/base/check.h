// CHECK(condition) and CHECK(condition, "format", args...): a broken invariant is a bug; say where, and
// abort. Never on a path that a user's input can reach; those return Expected (base/error.h).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace quire {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view message);

namespace check_detail {
inline std::string message() { return {}; }
template <class... Args>
std::string message(fmt::format_string<Args...> format, Args&&... args) {
  return fmt::format(format, std::forward<Args>(args)...);
}
}  // namespace check_detail

}  // namespace quire

#define CHECK(condition, ...)                                                                             \
  do {                                                                                                    \
    if (!(condition)) [[unlikely]]                                                                        \
      ::quire::check_failed(__FILE__, __LINE__, #condition, ::quire::check_detail::message(__VA_ARGS__)); \
  } while (false)
