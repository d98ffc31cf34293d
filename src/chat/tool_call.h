// A call of a tool, as a model wrote it, and how calls are read from the Python that models write (from
// their JSON: chat/json_call_reader.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

struct ToolCall {
  std::string name;
  std::string arguments;  // JSON text of an object
  bool operator==(const ToolCall&) const = default;
};

// What came of a call. The pieces of a call follow each other, the first with its name.
struct CallPiece {
  std::string name = {};       // empty: the call before goes on
  std::string arguments = {};  // JSON text of an object, or of what came of it
  bool whole = false;          // its arguments end here
  bool operator==(const CallPiece&) const = default;
};

// A tool's name: [A-Za-z0-9_-]{1,128}: OpenAI has 64, Anthropic 128.
inline constexpr size_t kMaxToolNameBytes = 128;
bool is_tool_name_byte(char c);
bool is_tool_name(std::string_view text);

// The calls in `text`, a Python list of calls with keyword arguments and literals: [f(a=1, b="x"), g()].
// None if it is something else.
std::optional<std::vector<ToolCall>> read_python_calls(std::string_view text,
                                                       std::span<const std::string> tools);

// Finds where such a list ends as its bytes come. Constant memory, one step a byte.
class PythonListScanner {
 public:
  static constexpr int32_t kMaxDepth = 64;
  enum class Status : uint8_t { kMore, kDone, kFailed };

  Status push(char c);  // the first must be [

 private:
  int32_t depth_ = 0;
  char quote_ = '\0';  // of the string it is in
  bool escaped_ = false;
  bool has_call_ = false;  // a name and ( came: before that only a name may
};

}  // namespace quire
