// Lines of OpenAI's batch files: a request each in the input, its answer in the output.
//   {"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {...}}
//   {"id": ..., "custom_id": "a", "error": null,
//    "response": {"status_code": 200, "request_id": ..., "body": {...}}}
// A line that is no request has no response but an error, with the number of the line.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

inline constexpr size_t kMaxCustomIdBytes = 512;

struct BatchRequest {
  std::string custom_id;  // empty if the line has none that can be read
  std::string url;
  std::string body;            // JSON
  std::optional<Error> error;  // why the line is no request; then url and body may be missing
};

BatchRequest read_batch_line(std::string_view line);

// What tells the lines of a batch apart, short enough for millions of them: a digest of the custom_id, or of
// the number of a line without one.
struct BatchKey {
  std::array<uint64_t, 2> digest{};
  auto operator<=>(const BatchKey&) const = default;
};
BatchKey batch_key(std::string_view custom_id, int64_t line_number);

// The key of an output line; kCorrupt if it is none.
Expected<BatchKey> read_answer_key(std::string_view line);

// Whether `text`, which has no end, can be what was written of an output line when its run was killed.
bool may_be_torn_answer(std::string_view text);

// Output lines, with their line break. `id` is of this answer alone; `body` is JSON.
std::string answer_line(std::string_view id, std::string_view custom_id, int status, std::string_view body);
std::string failure_line(std::string_view id, std::string_view custom_id, int64_t line_number,
                         const Error& error);

}  // namespace quire
