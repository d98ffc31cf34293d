#include "chat/rendering.h"

#include <algorithm>

namespace quire::jinja {
namespace {

// What a step pays for beside a node: with the default limit, a rendering makes at most 128 MB of strings.
constexpr size_t kBytesPerStep = 128;
constexpr size_t kItemsPerStep = 4;

}  // namespace

bool Rendering::spend(size_t steps) {
  const auto cost = static_cast<int64_t>(std::min<size_t>(steps, INT64_MAX));
  if (cost > steps_left_) {
    steps_left_ = -1;  // what is over stays over
    return false;
  }
  steps_left_ -= cost;
  return true;
}

bool Rendering::fits(size_t bytes) {
  if (bytes > static_cast<size_t>(limits_.max_output_bytes)) too_long_ = true;
  return !too_long_;
}

bool Rendering::spend_bytes(size_t bytes) { return fits(bytes) && spend(bytes / kBytesPerStep); }

bool Rendering::spend_items(size_t items) { return spend(items / kItemsPerStep); }

std::unexpected<Error> Rendering::exhausted() const {
  if (too_long_) {
    return fail(ErrorCode::kResourceExhausted, "the chat template makes a text of more than {} bytes",
                limits_.max_output_bytes);
  }
  return fail(ErrorCode::kResourceExhausted, "the chat template takes more than {} steps",
              limits_.max_steps);
}

std::unexpected<Error> Rendering::too_deep() const {
  return fail(ErrorCode::kResourceExhausted, "the chat template is nested deeper than its limit of {}",
              limits_.max_depth);
}

std::unexpected<Error> Rendering::raise(std::string message) {
  has_raised_ = true;
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message), {}});
}

}  // namespace quire::jinja
