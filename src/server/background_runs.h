// Answers that are made without a connection that waits for them, as /v1/responses' `background` asks. A
// thread of their own, which the first one starts, takes what the engine brings. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/types.h"
#include "server/generation/answer_run.h"
#include "server/http/api_error.h"

namespace quire {

struct BackgroundJob {
  enum class Stage : uint8_t { kRuns, kEnded, kCancelled, kRefused };

  std::string id;
  TenantId tenant = 0;
  std::unique_ptr<AnswerRun> run;  // no stream; what it writes out is dropped
  // What becomes of it: kRuns once the engine has generated something for it, and one of the others at most
  // once; with kEnded, the error if it ended with one. Not called by two threads at once.
  std::function<void(Stage stage, const ApiError* error)> tell;
};

class BackgroundRuns {
 public:
  static constexpr size_t kMaxRuns = 128;

  explicit BackgroundRuns(size_t max_runs = kMaxRuns) : max_runs_(max_runs) {}
  ~BackgroundRuns() { stop(); }

  // Goes on with it. 429 where too many run, and 503 after stop(): told as kRefused, and its run has ended.
  std::optional<ApiError> add(BackgroundJob job);

  // Takes the job out, to be ended or cancelled; none if no such one of this tenant runs. What it had told
  // before has been told.
  std::optional<BackgroundJob> take(const std::string& id, TenantId tenant);

  // Ends all that runs, without telling; before what it runs on ends. Idempotent.
  void stop();

 private:
  struct Entry {
    BackgroundJob job;
    bool armed = false, runs = false;
  };
  // Outlives the runs' notifications.
  struct Ready {
    std::mutex mutex;
    std::condition_variable changed;
    std::set<std::string> ids;  // whose runs may have something
    bool stopping = false;
  };
  void work();
  void advance(const std::string& id);
  // True when it has ended.
  bool advance(Entry& entry);

  const size_t max_runs_;
  std::shared_ptr<Ready> ready_ = std::make_shared<Ready>();
  std::mutex mutex_;  // never held while a run ends, which waits for notifications
  std::condition_variable advanced_;
  std::map<std::string, Entry> entries_;
  std::string advancing_;  // the id of the entry that the thread works on
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace quire
