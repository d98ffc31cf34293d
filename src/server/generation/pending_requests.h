// The requests that a server has taken and its engine has not got yet: a worker reads them, or their
// grammars are being compiled. When the server ends it waits for them, so that what was taken is answered.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace quire {

// Any thread; outlives its entries.
class PendingRequests {
  struct Leave {
    void operator()(PendingRequests* all) const { all->leave(); }
  };

 public:
  // One of them, for as long as it lives.
  using Entry = std::unique_ptr<PendingRequests, Leave>;
  [[nodiscard]] Entry enter();

  // False if there still are some after `timeout`.
  bool wait_until_none(std::chrono::nanoseconds timeout);

 private:
  void leave();

  std::mutex mutex_;
  std::condition_variable none_;
  int64_t count_ = 0;
};

}  // namespace quire
