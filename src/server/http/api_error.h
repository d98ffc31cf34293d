// Errors as clients read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

struct ApiError {
  int status = 500;
  std::string message;
  std::string param;            // the field at fault; empty: null
  std::string code;             // a word for programs, such as "model_not_found"; empty: null
  int retry_after_seconds = 0;  // for 429 and 503: the Retry-After header; 0: none
};

template <class T = void>
using ApiExpected = std::expected<T, ApiError>;

// The status that fits the error's code: 400 for what the client can mend, 429, 503, else 500.
ApiError to_api_error(const Error& error);

// Passes on the error of an Expected within a function that returns some ApiExpected.
inline std::unexpected<ApiError> api_failure(const Error& error) {
  return std::unexpected(to_api_error(error));
}

std::unexpected<ApiError> model_not_found(std::string_view model);
ApiError loading_error();
ApiError draining_error();

// OpenAI's word for the kind of error that the status stands for.
std::string_view error_type(int status);

// Whose clients are to read an error.
enum class ErrorShape : uint8_t {
  kOpenAi,     // {"error": {"message", "type", "param", "code"}}
  kAnthropic,  // {"type": "error", "error": {"type", "message", "details"}, "request_id"}
};

// `request_id` is of the request that failed; empty: the error has none.
std::string to_json(const ApiError& error, ErrorShape shape = ErrorShape::kOpenAi,
                    std::string_view request_id = {});

}  // namespace quire
