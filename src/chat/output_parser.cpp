#include "chat/output_parser.h"

#include <algorithm>
#include <utility>

namespace quire {
namespace {

constexpr size_t kMaxHeldSpace = 256;  // white space that is longer is text like any other

void add_span(std::vector<ByteSpan>& spans, ByteSpan span) {
  if (span.begin == span.end) return;
  if (!spans.empty() && spans.back().end == span.begin) {
    spans.back().end = span.end;
  } else {
    spans.push_back(span);
  }
}

}  // namespace

void ParsedOutput::add(CallPiece piece, int64_t num_bytes) {
  if (calls.empty() || !piece.name.empty()) {
    places.push_back({content.size(), num_bytes});
    return calls.push_back(std::move(piece));
  }
  calls.back().arguments += piece.arguments;
  calls.back().whole = piece.whole;
}

bool OutputParser::Marker::push(char c, std::string_view& missed) {
  missed = {};
  if (c == text[matched]) {
    if (++matched < text.size()) return false;
    matched = 0;
    return true;
  }
  missed = text.substr(0, matched);
  matched = c == text[0] ? 1 : 0;
  return false;
}

void OutputParser::Trimmed::push(char c, std::string& out) {
  if (is_json_space(c)) {
    if (!drops) held += c;
    if (held.size() > kMaxHeldSpace) flush(out);
    return;
  }
  drops = false;
  flush(out);
  out += c;
}

void OutputParser::Trimmed::push(std::string_view text, std::string& out) {
  for (const char c : text) push(c, out);
}

void OutputParser::Trimmed::flush(std::string& out) {
  out += held;
  held.clear();
}

OutputParser::OutputParser(const OutputSpec& spec)
    : spec_(spec), style_(call_style(spec.tool_style)), opener_{style_.opener} {
  reasoning_.drops = true;
  if (spec.reasoning_style == ReasoningStyle::kNone) {
    begin_content();
  } else {
    state_ = State::kStart;
  }
}

void OutputParser::push(std::string_view text, ParsedOutput& out) {
  for (const char c : text) {
    if (done()) return;
    ++num_bytes_;
    push_byte(c, out);
  }
}

void OutputParser::push_byte(char c, ParsedOutput& out) {
  ++steps_;
  switch (state_) {
    case State::kStart: return push_start(c, out);
    case State::kReasoning: return push_reasoning(c, out);
    case State::kContent: return push_content(c, out);
    case State::kCall: return push_call(c, out);
  }
}

// White space, then <think>; or there is none.
void OutputParser::push_start(char c, ParsedOutput& out) {
  start_ += c;
  if (num_think_bytes_ == 0 && is_json_space(c) && start_.size() <= kMaxHeldSpace) return;
  if (c != kThinkOpen[num_think_bytes_]) return end_start(out);
  if (++num_think_bytes_ < kThinkOpen.size()) return;
  start_.clear();
  state_ = State::kReasoning;
  reasoning_bytes_ = num_bytes_;
}

// The start holds no <think>: what was held back is what it would have been anyway.
void OutputParser::end_start(ParsedOutput& out) {
  const std::string held = std::exchange(start_, {});
  if (spec_.in_reasoning) {
    state_ = State::kReasoning;
  } else {
    begin_content();
  }
  num_bytes_ -= static_cast<int64_t>(held.size());
  for (const char c : held) {
    ++num_bytes_;
    push_byte(c, out);
  }
}

void OutputParser::push_reasoning(char c, ParsedOutput& out) {
  std::string_view missed;
  const bool closed = think_close_.push(c, missed);
  reasoning_bytes_ = num_bytes_;
  reasoning_.push(missed, out.reasoning);
  if (closed) {
    reasoning_.drop();
    content_.drop();
    begin_content();
  } else if (think_close_.matched == 0) {
    reasoning_.push(c, out.reasoning);
  }
}

// Calls may stand at the start without an opener.
void OutputParser::begin_content() {
  state_ = State::kContent;
  if (spec_.tools.empty() || style_.at_start.empty()) return;
  has_opener_ = false;
  begin_calls(style_.at_start);
}

void OutputParser::begin_calls(std::span<const CallPattern> patterns) {
  matcher_.start(patterns, spec_.tools, static_cast<size_t>(kMaxCalls - num_calls_));
  state_ = State::kCall;
}

// `text`, the bytes before `end`, is content. What of it comes out, and of the white space that was held,
// is the last bytes before what is held now.
void OutputParser::add_content(std::string_view text, int64_t end, ParsedOutput& out) {
  const size_t size = out.content.size();
  content_.push(text, out.content);
  const int64_t known = end - std::ssize(content_.held);
  add_span(out.content_spans, {known - static_cast<int64_t>(out.content.size() - size), known});
}

int64_t OutputParser::num_decided_bytes() const {
  const int64_t known = num_bytes_ - std::ssize(content_.held);
  switch (state_) {
    case State::kStart: return num_bytes_ - std::ssize(start_);
    case State::kReasoning: break;
    case State::kContent: return known - static_cast<int64_t>(opener_.matched);
    case State::kCall:
      return known - std::ssize(matcher_.text()) - (has_opener_ ? std::ssize(style_.opener) : 0);
  }
  return num_bytes_;
}

void OutputParser::push_content(char c, ParsedOutput& out) {
  if (style_.opener.empty() || spec_.tools.empty() || num_calls_ >= kMaxCalls || is_text_) {
    return add_content({&c, 1}, num_bytes_, out);
  }
  std::string_view missed;
  const bool opened = opener_.push(c, missed);
  add_content(missed, num_bytes_ - 1, out);
  if (opened) {
    has_opener_ = true;
    begin_calls(style_.opened);
    return;
  }
  if (spec_.calls_alone && (!missed.empty() || (opener_.matched == 0 && !is_json_space(c)))) {
    is_text_ = true;
    opener_.matched = 0;
  }
  if (opener_.matched == 0) add_content({&c, 1}, num_bytes_, out);
}

void OutputParser::push_call(char c, ParsedOutput& out) {
  const auto status = matcher_.push(c);
  add_pieces(out);
  if (status == CallMatcher::Status::kMore || done()) return;
  if (status == CallMatcher::Status::kDone) return end_calls();
  fail_call(num_bytes_ - 1, out);
  if (!done()) push_byte(c, out);
}

void OutputParser::add_pieces(ParsedOutput& out) {
  for (CallPiece& piece : matcher_.pieces()) {
    if (done()) break;
    if (!piece.name.empty()) {
      ++num_calls_;
      has_opener_ = false;
      content_.drop();
    }
    in_call_ = !piece.whole;
    out.add(std::move(piece), num_bytes_);
  }
  matcher_.clear_pieces();
}

// What looked like a call was none, or what comes is none of a call that has come out: bytes before `end`.
void OutputParser::fail_call(int64_t end, ParsedOutput& out) {
  state_ = State::kContent;
  in_call_ = false;
  if (done()) return;
  const std::string& text = matcher_.text();
  is_text_ = spec_.calls_alone && (has_opener_ || !std::ranges::all_of(text, is_json_space));
  if (std::exchange(has_opener_, false)) add_content(style_.opener, end - std::ssize(text), out);
  add_content(text, end, out);
}

// The pattern is whole.
void OutputParser::end_calls() {
  content_.drop();
  has_opener_ = false;
  if (matcher_.has_calls() && !style_.next.empty()) {
    begin_calls(style_.next);
  } else {
    state_ = State::kContent;
  }
}

void OutputParser::finish_call(ParsedOutput& out) {
  if (!matcher_.finish()) return fail_call(num_bytes_, out);
  add_pieces(out);
  content_.drop();
  state_ = State::kContent;
}

void OutputParser::finish(ParsedOutput& out) {
  if (done()) return;
  if (state_ == State::kStart) end_start(out);
  if (state_ == State::kCall) finish_call(out);
  if (done()) return;
  if (state_ == State::kReasoning) {
    reasoning_.push(think_close_.text.substr(0, think_close_.matched), out.reasoning);
  } else {
    add_content(opener_.text.substr(0, std::exchange(opener_.matched, 0)), num_bytes_, out);
  }
  reasoning_.flush(out.reasoning);
  add_span(out.content_spans, {num_bytes_ - std::ssize(content_.held), num_bytes_});
  content_.flush(out.content);
}

}  // namespace quire
