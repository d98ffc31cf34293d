// What one rendering has: its budgets, the objects it makes, the time. Everything a template's operation
// allocates or walks is paid for here first, so that no template takes more than its limits.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "chat/chat_template.h"
#include "chat/template_object.h"

namespace quire::jinja {

class Rendering {
 public:
  Rendering(const TemplateLimits& limits, int64_t unix_seconds)
      : limits_(limits), steps_left_(limits.max_steps), unix_seconds_(unix_seconds) {}

  const TemplateLimits& limits() const { return limits_; }
  int64_t unix_seconds() const { return unix_seconds_; }

  // Each is false once a budget has run out; the caller then returns exhausted().
  bool spend(size_t steps);
  bool spend_bytes(size_t bytes);  // read or written; no string may be longer than the output's limit
  bool spend_items(size_t items);  // of an array or object that is copied or made
  bool fits(size_t bytes);         // whether a text may grow to this length
  std::unexpected<Error> exhausted() const;

  // What raise_exception(message) gives: the template's own words, to which no place is added.
  std::unexpected<Error> raise(std::string message);
  bool has_raised() const { return has_raised_; }

  // One frame of evaluation while it lives. ok() is false when they are too many: a macro that calls
  // itself, filters that apply filters. One level of a template's nesting takes several frames.
  class Frame {
   public:
    explicit Frame(Rendering& rendering) : rendering_(rendering) { ++rendering_.frames_; }
    ~Frame() { --rendering_.frames_; }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    bool ok() const { return rendering_.frames_ <= rendering_.max_frames(); }

   private:
    Rendering& rendering_;
  };
  int32_t max_frames() const { return limits_.max_depth * 8; }
  std::unexpected<Error> too_deep() const;

  // Makes an object that lives as long as the rendering.
  template <class Object, class... Args>
  Value make(Args&&... args) {
    auto object = std::make_unique<Object>(std::forward<Args>(args)...);
    Value value = Value::of(object.get());
    objects_.push_back(std::move(object));
    return value;
  }

 private:
  const TemplateLimits limits_;
  int64_t steps_left_;
  bool too_long_ = false;
  bool has_raised_ = false;
  int32_t frames_ = 0;
  const int64_t unix_seconds_;
  std::vector<std::unique_ptr<TemplateObject>> objects_;
};

// Hands an error on to a caller that expects another type.
template <class T>
std::unexpected<Error> pass(Expected<T>& failed) {
  return std::unexpected(std::move(failed).error());
}

}  // namespace quire::jinja
