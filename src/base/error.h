// Expected failures as values: bad input, missing files, exhausted limits. Bugs are CHECKs (base/check.h).
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace quire {

enum class ErrorCode {
  kInvalidArgument,    // the caller's input is wrong; the message says what would be right
  kNotFound,           // a file, model or name that does not exist
  kCorrupt,            // a file whose contents contradict its format
  kContextExceeded,    // a prompt, or what it asks for, is longer than the model's context
  kUnsupported,        // a valid input that this build does not handle
  kResourceExhausted,  // a bound was reached (queue, memory, budget)
  kUnavailable,        // not now: loading, draining
  kCancelled,          // the client left or asked to stop
  kIo,                 // the operating system refused
  kInternal,           // our fault
};

std::string_view to_string(ErrorCode code);

// `param` names the field or flag at fault where there is one.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string param;
};

template <class T = void>
using Expected = std::expected<T, Error>;

// fail(code, "format", args...) converts to any Expected<T>.
template <class... Args>
std::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...), {}});
}

// The same with the field at fault.
template <class... Args>
std::unexpected<Error> fail_param(std::string param, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument,
                               fmt::format(format, std::forward<Args>(args)...), std::move(param)});
}

}  // namespace quire
