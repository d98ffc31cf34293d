#include "chat/call_matcher.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace quire {

void CallMatcher::start(std::span<const CallPattern> patterns, std::span<const std::string> tools,
                        size_t max_calls) {
  tools_ = tools;
  max_calls_ = max_calls;
  matches_.clear();
  for (const CallPattern pattern : patterns) {
    matches_.push_back({.pattern = pattern, .json_calls = JsonCallReader(tools, max_calls)});
  }
  text_.clear();
  pieces_.clear();
  has_calls_ = false;
}

// `c` is the last byte of text_.
CallMatcher::Fit CallMatcher::fit(Match& match, char c) {
  ++steps_;
  const CallStep& step = match.pattern[match.step];
  const size_t length = text_.size() - match.begin;  // with c, in steps that tell no calls
  const auto fit_of = [](auto status) {
    using Status = decltype(status);
    return status == Status::kFailed ? Fit::kFails : status == Status::kDone ? Fit::kEnds : Fit::kBelongs;
  };
  switch (step.kind) {
    case CallStep::Kind::kSpace:
      if (!is_json_space(c)) return Fit::kAfter;
      return length <= kMaxSpaceBytes ? Fit::kBelongs : Fit::kFails;
    case CallStep::Kind::kText:
      if (c != step.text[length - 1]) return Fit::kFails;
      return length == step.text.size() ? Fit::kEnds : Fit::kBelongs;
    case CallStep::Kind::kName:
    case CallStep::Kind::kId:
      if (!is_tool_name_byte(c)) return length > 1 ? Fit::kAfter : Fit::kFails;
      return length <= kMaxToolNameBytes ? Fit::kBelongs : Fit::kFails;
    case CallStep::Kind::kArguments: return fit_arguments(match, c);
    case CallStep::Kind::kJsonCalls: return fit_of(match.json_calls.push(c));
    case CallStep::Kind::kPythonCalls: return fit_of(match.python.push(c));
  }
  return Fit::kFails;
}

CallMatcher::Fit CallMatcher::fit_arguments(Match& match, char c) {
  if (match.json.depth() == 0) {
    if (c != '{') return Fit::kFails;
    match.is_bad = max_calls_ == 0 || std::ranges::find(tools_, match.name) == tools_.end();
    match.pieces.push_back({.name = match.name});
  }
  const auto status = match.json.push(c);
  if (status == JsonScanner::Status::kFailed) return Fit::kFails;
  if (match.pieces.empty()) match.pieces.emplace_back();
  match.pieces.back().arguments += c;
  match.pieces.back().whole = status == JsonScanner::Status::kDone;
  return match.pieces.back().whole ? Fit::kEnds : Fit::kBelongs;
}

// Tells what is sure of the one match that is left.
void CallMatcher::tell(Match& match) {
  const CallStep::Kind kind = match.pattern[match.step].kind;
  if (kind == CallStep::Kind::kJsonCalls && match.json_calls.is_sure()) {
    match.json_calls.take_pieces(pieces_);
  } else if (kind == CallStep::Kind::kArguments && !match.is_bad) {
    std::ranges::move(match.pieces, std::back_inserter(pieces_));
    match.pieces.clear();
  } else {
    return;
  }
  text_.clear();
  match.begin = 0;
}

// The step's text, text_ from match.begin on (without what was told), is whole.
bool CallMatcher::end_calls(Match& match, CallStep::Kind kind) {
  if (kind == CallStep::Kind::kJsonCalls) match.json_calls.take_pieces(match.pieces);
  if (kind == CallStep::Kind::kPythonCalls) {
    auto calls = read_python_calls(std::string_view(text_).substr(match.begin), tools_);
    if (!calls || calls->size() > max_calls_) return false;
    for (auto& [name, arguments] : *calls) {
      match.pieces.push_back({std::move(name), std::move(arguments), true});
    }
  }
  match.has_calls = !match.is_bad;
  return match.has_calls;
}

CallMatcher::Status CallMatcher::advance(Match& match, char c) {
  while (true) {
    const Fit found = fit(match, c);
    if (found == Fit::kFails) return Status::kFailed;
    if (matches_.size() == 1) tell(match);
    if (found == Fit::kBelongs) return Status::kMore;
    const CallStep::Kind kind = match.pattern[match.step].kind;
    const size_t end = text_.size() - (found == Fit::kAfter ? 1 : 0);
    if (kind == CallStep::Kind::kName) match.name = text_.substr(match.begin, end - match.begin);
    const bool is_calls = kind == CallStep::Kind::kArguments || kind == CallStep::Kind::kJsonCalls ||
                          kind == CallStep::Kind::kPythonCalls;
    if (is_calls && !end_calls(match, kind)) return Status::kFailed;
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
      has_calls_ = match->has_calls;
      std::ranges::move(match->pieces, std::back_inserter(pieces_));
      return status;
    }
    match = status == Status::kFailed ? matches_.erase(match) : match + 1;
  }
  if (!matches_.empty()) return Status::kMore;
  text_.pop_back();
  return Status::kFailed;
}

bool CallMatcher::finish() {
  const auto whole = std::ranges::find_if(matches_, &Match::has_calls);
  if (whole == matches_.end()) return false;
  std::ranges::move(whole->pieces, std::back_inserter(pieces_));
  return true;
}

}  // namespace quire
