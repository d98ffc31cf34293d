// Looks a host up on a thread of its own. The system's way to do so (getaddrinfo) takes as long as it takes
// and cannot be ended, so who waits for it must be able to leave: the thread then goes on alone, and touches
// nothing but what it shares with its look-up. One thread beside that.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"
#include "server/http/http_client.h"

namespace quire {

class TargetLookup {
 public:
  // Called on the look-up's thread, even after this object is gone.
  using Resolve = std::function<Expected<HttpTarget>()>;

  explicit TargetLookup(Resolve resolve) : resolve_(std::move(resolve)) {}

  // What a look-up gave, if that comes within `limit`. Begins one, unless one is under way. kUnavailable,
  // beside what `resolve` says: the system has no thread left.
  std::optional<Expected<HttpTarget>> wait(std::chrono::milliseconds limit);

 private:
  struct Pending;

  const Resolve resolve_;
  std::shared_ptr<Pending> pending_;  // null: none is under way
};

}  // namespace quire
