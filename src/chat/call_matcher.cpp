#include "chat/call_matcher.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace quire {
namespace {

bool is_call_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

template <class Scanner>
auto scan(Scanner& scanner, char c) {
  using Status = Scanner::Status;
  const Status status = scanner.push(c);
  return std::pair(status == Status::kDone, status == Status::kFailed);
}

}  // namespace

void CallMatcher::start(std::span<const CallPattern> patterns, std::span<const std::string> tools) {
  tools_ = tools;
  matches_.clear();
  for (const CallPattern pattern : patterns) matches_.push_back({.pattern = pattern});
  text_.clear();
  calls_.clear();
}

// `c` is the last byte of text_.
CallMatcher::Fit CallMatcher::fit(Match& match, char c) {
  ++steps_;
  const CallStep& step = match.pattern[match.step];
  const size_t length = text_.size() - match.begin;  // with c
  bool done = false, failed = false;
  switch (step.kind) {
    case CallStep::Kind::kSpace:
      if (!is_call_space(c)) return Fit::kAfter;
      return length <= kMaxSpaceBytes ? Fit::kBelongs : Fit::kFails;
    case CallStep::Kind::kText:
      if (c != step.text[length - 1]) return Fit::kFails;
      return length == step.text.size() ? Fit::kEnds : Fit::kBelongs;
    case CallStep::Kind::kName:
    case CallStep::Kind::kId:
      if (!is_tool_name_byte(c)) return length > 1 ? Fit::kAfter : Fit::kFails;
      return length <= kMaxToolNameBytes ? Fit::kBelongs : Fit::kFails;
    case CallStep::Kind::kArguments:
      if (length == 1 && c != '{') return Fit::kFails;
      [[fallthrough]];
    case CallStep::Kind::kJsonCalls: std::tie(done, failed) = scan(match.json, c); break;
    case CallStep::Kind::kPythonCalls: std::tie(done, failed) = scan(match.python, c); break;
  }
  if (failed) return Fit::kFails;
  return done ? Fit::kEnds : Fit::kBelongs;
}

// The step's text, text_ from match.begin on, is whole.
bool CallMatcher::read_calls(Match& match, CallStep::Kind kind) {
  const std::string_view text = std::string_view(text_).substr(match.begin);
  if (kind == CallStep::Kind::kJsonCalls) match.calls = read_json_calls(text, tools_);
  if (kind == CallStep::Kind::kPythonCalls) match.calls = read_python_calls(text, tools_);
  if (kind == CallStep::Kind::kArguments) {
    if (std::ranges::find(tools_, match.name) == tools_.end()) return false;
    match.calls = {{match.name, std::string(text)}};
  }
  return match.calls.has_value();
}

CallMatcher::Status CallMatcher::advance(Match& match, char c) {
  while (true) {
    const Fit found = fit(match, c);
    if (found == Fit::kBelongs) return Status::kMore;
    if (found == Fit::kFails) return Status::kFailed;
    const CallStep::Kind kind = match.pattern[match.step].kind;
    const size_t end = text_.size() - (found == Fit::kAfter ? 1 : 0);
    if (kind == CallStep::Kind::kName) match.name = text_.substr(match.begin, end - match.begin);
    const bool has_calls = kind == CallStep::Kind::kArguments || kind == CallStep::Kind::kJsonCalls ||
                           kind == CallStep::Kind::kPythonCalls;
    if (has_calls && !read_calls(match, kind)) return Status::kFailed;
    ++match.step;
    match.begin = end;
    if (match.step == match.pattern.size()) return Status::kDone;
    if (found == Fit::kEnds) return Status::kMore;
  }
}

CallMatcher::Status CallMatcher::push(char c) {
  if (text_.size() == kMaxCallBytes) return Status::kFailed;
  text_ += c;
  for (auto match = matches_.begin(); match != matches_.end();) {
    const Status status = advance(*match, c);
    if (status == Status::kDone) {
      calls_ = std::move(match->calls).value_or(std::vector<ToolCall>());
      return status;
    }
    match = status == Status::kFailed ? matches_.erase(match) : match + 1;
  }
  if (!matches_.empty()) return Status::kMore;
  text_.pop_back();
  return Status::kFailed;
}

bool CallMatcher::finish() {
  const auto whole =
      std::ranges::find_if(matches_, [](const Match& match) { return match.calls.has_value(); });
  if (whole == matches_.end()) return false;
  calls_ = std::move(*whole->calls);
  return true;
}

}  // namespace quire
