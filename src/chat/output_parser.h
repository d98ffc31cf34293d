// A model's text, as it comes, into what clients want to have apart: content, reasoning and calls of tools.
//
// - What comes out does not depend on how the text is cut into pieces.
// - Reasoning is what stands between <think> and </think> at the start; where the prompt ends with <think>,
//   from the start. Reasoning that is never closed is reasoning.
// - A call is of a tool that exists, with a JSON object for its arguments. Once its name has come and its
//   arguments have begun, it comes out piece by piece; where the name comes last, or the arguments are no
//   JSON, when it is whole. What begins like a call and is none is content, every byte of it.
// - A call that has come out stands. If its arguments end before they are whole, or go on as no JSON does,
//   it is left as it is, its last piece not `whole`; what follows and does not fit is content.
// - White space around reasoning and around calls belongs to neither and is dropped.
// - Time is linear in the text. Held back is what may become a call, at most CallMatcher::kMaxCallBytes, and
//   a little white space.
//
// One continuation, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/call_matcher.h"
#include "chat/output_style.h"
#include "chat/tool_call.h"

namespace quire {

struct OutputSpec {
  ToolStyle tool_style = ToolStyle::kNone;
  std::vector<std::string> tools;  // that may be called
  ReasoningStyle reasoning_style = ReasoningStyle::kNone;
  bool in_reasoning = false;  // the prompt ends with <think>
  bool one_call = false;      // all after the first call is dropped
  // Calls make up all of the content: content that begins otherwise has none in it, whatever it spells.
  bool calls_alone = false;

  // Whether there is anything to take apart.
  bool parses() const { return tool_style != ToolStyle::kNone || reasoning_style != ReasoningStyle::kNone; }
};

// Bytes of a text, from `begin` on and before `end`.
struct ByteSpan {
  int64_t begin = 0;
  int64_t end = 0;
};

// What a piece of text brought.
struct ParsedOutput {
  std::string content;
  std::vector<ByteSpan> content_spans;  // where it stands in all that was pushed; they do not touch
  std::string reasoning;
  // If the first has no name, it goes on with the last one of what came before.
  std::vector<CallPiece> calls;
  struct Place {
    size_t content = 0;     // bytes of `content` before the call
    int64_t num_bytes = 0;  // of all that was pushed, up to where the call was told to be one
  };
  std::vector<Place> places;  // of `calls`

  void add(CallPiece piece, int64_t num_bytes);  // to the last one, if it goes on with it
};

class OutputParser {
 public:
  static constexpr int32_t kMaxCalls = 128;  // more are content

  explicit OutputParser(const OutputSpec& spec);  // `spec` outlives it

  // Each appends to `out`.
  void push(std::string_view text, ParsedOutput& out);
  void finish(ParsedOutput& out);  // the text has ended

  // spec.one_call, and it has come: nothing more will.
  bool done() const { return spec_.one_call && num_calls_ > 0 && !in_call_; }
  bool in_reasoning() const { return state_ == State::kReasoning; }
  // Bytes of the text up to the end of the reasoning, its marks included; 0 if there was none.
  int64_t reasoning_bytes() const { return reasoning_bytes_; }
  // Bytes that have come, and of how many of them, from the first on, it is known what they are.
  int64_t num_bytes() const { return num_bytes_; }
  int64_t num_decided_bytes() const;
  // Looks at a byte, over all that was pushed: what the promise of linear time is tested by.
  int64_t steps() const { return steps_ + matcher_.steps(); }

 private:
  enum class State : uint8_t { kStart, kReasoning, kContent, kCall };

  // Finds a mark in text as it comes. The mark's first byte is nowhere else in it.
  struct Marker {
    std::string_view text;
    size_t matched = 0;
    // True when `c` completes the mark; otherwise, with c, it may be one if matched is not 0. `missed` are
    // the bytes before c that looked like one until now.
    bool push(char c, std::string_view& missed);
  };

  // Text without the white space at its sides, which shows when something else follows.
  struct Trimmed {
    bool drops = false;  // what comes next is at the start
    std::string held;    // white space that may be at the end
    void push(char c, std::string& out);
    void push(std::string_view text, std::string& out);
    void drop() { held.clear(), drops = true; }
    void flush(std::string& out);
  };

  void push_byte(char c, ParsedOutput& out);
  void push_start(char c, ParsedOutput& out);
  void push_reasoning(char c, ParsedOutput& out);
  void push_content(char c, ParsedOutput& out);
  void push_call(char c, ParsedOutput& out);
  void begin_content();
  void begin_calls(std::span<const CallPattern> patterns);
  void end_start(ParsedOutput& out);
  void add_content(std::string_view text, int64_t end, ParsedOutput& out);
  void fail_call(int64_t end, ParsedOutput& out);
  void add_pieces(ParsedOutput& out);
  void end_calls();
  void finish_call(ParsedOutput& out);

  const OutputSpec& spec_;
  const CallStyle& style_;
  State state_ = State::kContent;
  std::string start_;           // white space and what may be <think>
  size_t num_think_bytes_ = 0;  // of <think> in it
  Marker think_close_{kThinkClose};
  Marker opener_;
  bool has_opener_ = false;  // the calls being matched came after one
  bool is_text_ = false;     // spec_.calls_alone, and content has begun otherwise
  CallMatcher matcher_;
  Trimmed reasoning_, content_;
  int64_t num_bytes_ = 0;
  int64_t reasoning_bytes_ = 0;
  int32_t num_calls_ = 0;
  bool in_call_ = false;  // the last of them is not whole
  int64_t steps_ = 0;
};

}  // namespace quire
