// How models write tool calls and reasoning into their text: the styles that OutputParser knows, as tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quire {

enum class ToolStyle : uint8_t { kNone, kHermes, kLlama3Json, kMistral, kDeepseekV3, kPythonic };

// kFromStart: an answer begins with reasoning, whether or not <think> says so. kMarked: it does if <think>
// does, in the answer or at the end of the prompt.
enum class ReasoningStyle : uint8_t { kNone, kFromStart, kMarked };

inline constexpr std::string_view kToolParserNames =
    "auto|none|hermes|llama3_json|mistral|deepseek_v3|pythonic";
inline constexpr std::string_view kReasoningParserNames = "auto|none|deepseek_r1|qwen3";

// By the names that --tool-call-parser and --reasoning-parser take; none for another.
std::optional<ToolStyle> tool_style(std::string_view name);
std::optional<ReasoningStyle> reasoning_style(std::string_view name);

// By which it is known.
std::string_view style_name(ToolStyle style);

// The styles that a chat template speaks of.
ToolStyle detect_tool_style(std::string_view chat_template);
ReasoningStyle detect_reasoning_style(std::string_view chat_template);

inline constexpr std::string_view kThinkOpen = "<think>", kThinkClose = "</think>";

// One step of a pattern that a call is matched against, byte by byte.
struct CallStep {
  enum class Kind : uint8_t {
    kSpace,        // white space, or none
    kText,         // `text`, byte for byte
    kName,         // a tool's name
    kId,           // letters and digits, of no matter
    kArguments,    // a JSON object: what the tool of kName is called with
    kJsonCalls,    // as read_json_calls has them
    kPythonCalls,  // as read_python_calls has them
  };
  Kind kind;
  std::string_view text = {};
};

// A pattern without calls in it stands for the end of a row of calls.
using CallPattern = std::span<const CallStep>;

struct CallStyle {
  // What calls begin with in the midst of text; empty if they stand at its start alone. Its first byte is
  // nowhere else in it.
  std::string_view opener;
  std::span<const CallPattern> opened;        // after the opener, one of these
  std::span<const CallPattern> at_start;      // what may stand at the start of the content without it
  std::span<const CallPattern> next;          // after a call, for more in the same row
  std::span<const std::string_view> markers;  // that may be control tokens, which text does not show
  bool short_ids = false;  // templates take ids of nine letters and digits and nothing else
};

const CallStyle& call_style(ToolStyle style);

// What stands around a call's arguments, around a row of calls, and between them.
struct CallFrame {
  std::string begin, end;
  std::string_view separator = {}, row_begin = {}, row_end = {};
  std::string_view trigger = {};  // what a row of calls in free text begins with
  // A row may stand without the trigger at the start of all text; if there is no trigger, there alone.
  bool at_start = false;
  bool python = false;  // arguments are keyword arguments of Python, not JSON
};

// Of a call of the tool `name`; none for kNone.
std::optional<CallFrame> call_frame(ToolStyle style, const std::string& name);

}  // namespace quire
