#include "chat/json_call_reader.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace quire {

JsonCallReader::Status JsonCallReader::push(char c) {
  const int32_t depth = scanner_.depth();
  const bool in_string = scanner_.in_string();
  const Status status = scanner_.push(c);
  if (status == Status::kFailed) return status;
  if (depth == 0) is_array_ = c == '[';
  read(c, depth, in_string);
  if (status != Status::kDone) return status;
  return is_bad_ || num_calls_ == 0 ? Status::kFailed : Status::kDone;
}

// `depth` and `in_string` are of before c.
void JsonCallReader::read(char c, int32_t depth, bool in_string) {
  const int32_t inside = is_array_ ? 2 : 1;  // how deep a call's members are
  const int32_t depth_now = scanner_.depth();
  if (in_arguments_) {
    pieces_.back().arguments += c;
    if (depth_now > inside) return;
    in_arguments_ = false;
    pieces_.back().whole = is_named_;
  } else if (depth < inside && depth_now == inside) {
    begin_call(c);
  } else if (depth == inside && depth_now < inside) {
    end_call();
  } else if (depth == inside) {
    read_member(c, in_string);
  } else if (depth == 1 && depth_now == 1 && c != ',' && !is_json_space(c)) {
    is_bad_ = true;  // in the array, and no object
  }
}

void JsonCallReader::begin_call(char c) {
  if (c != '{' || num_calls_ == max_calls_) is_bad_ = true;
  in_call_ = true;
  place_ = Place::kBeforeKey;
  is_named_ = has_arguments_ = was_taken_ = false;
  pieces_.emplace_back();
}

void JsonCallReader::end_call() {
  in_call_ = false;
  ++num_calls_;
  if (!is_named_) is_bad_ = true;
  if (was_taken_ && pieces_.back().arguments.empty()) return pieces_.pop_back();
  if (!has_arguments_) pieces_.back().arguments = "{}";
  pieces_.back().whole = true;
}

void JsonCallReader::read_member(char c, bool in_string) {
  if (in_string) {
    if (place_ != Place::kKey && place_ != Place::kName) return;
    if (!scanner_.in_string()) return end_word();
    if (word_.size() <= kMaxToolNameBytes) word_ += c;
    return;
  }
  if (c == ',') place_ = Place::kBeforeKey;
  if (c == ',' || c == ':' || is_json_space(c)) return;
  if (place_ == Place::kBeforeKey) {
    place_ = Place::kKey;
    word_.clear();
  } else if (place_ == Place::kBeforeValue) {
    begin_value(c);
  }
}

void JsonCallReader::begin_value(char c) {
  place_ = Place::kAfter;
  if (key_ == Key::kName && !is_named_) {
    if (c != '"') is_bad_ = true;
    place_ = Place::kName;
    word_.clear();
  }
  if (key_ != Key::kArguments || has_arguments_ || c == 'n') return;  // null: none
  if (c != '{') is_bad_ = true;
  has_arguments_ = in_arguments_ = c == '{';
  pieces_.back().arguments += c;
}

void JsonCallReader::end_word() {
  if (place_ == Place::kKey) {
    key_ = word_ == "name"                                 ? Key::kName
           : word_ == "arguments" || word_ == "parameters" ? Key::kArguments
                                                           : Key::kOther;
    place_ = Place::kBeforeValue;
    return;
  }
  place_ = Place::kAfter;
  if (std::ranges::find(tools_, word_) == tools_.end()) is_bad_ = true;
  is_named_ = true;
  pieces_.back().name = word_;
  pieces_.back().whole = has_arguments_;
}

bool JsonCallReader::is_sure() const {
  if (is_bad_) return false;
  return in_call_ ? is_named_ && has_arguments_ : num_calls_ > 0 && pieces_.empty();
}

void JsonCallReader::take_pieces(std::vector<CallPiece>& out) {
  const auto told = [](const CallPiece& piece) { return !piece.name.empty() || !piece.arguments.empty(); };
  std::ranges::copy_if(std::make_move_iterator(pieces_.begin()), std::make_move_iterator(pieces_.end()),
                       std::back_inserter(out), told);
  pieces_.clear();
  was_taken_ = in_call_;
  if (in_call_) pieces_.emplace_back();
}

}  // namespace quire
