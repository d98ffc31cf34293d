// Answers the lines of a batch in this process, many at once, by the API that the server has: without
// sockets and keys, in the order in which they are done.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/function_ref.h"
#include "server/api.h"
#include "server/batch/batch_files.h"
#include "server/id_source.h"

namespace quire {

struct BatchCounts {
  int64_t found = 0;     // lines that had an answer before the run
  int64_t answered = 0;  // by this run, `failed` among them
  int64_t failed = 0;    // lines that are no request, and answers whose status is not 200
};

class BatchRun {
 public:
  // All outlive the run. At most `max_at_once` requests are with the engine.
  BatchRun(const Api& api, const Clock& clock, BatchInput& input, BatchOutput& output, int32_t max_at_once);
  ~BatchRun();  // what is not done is aborted

  // Answers every line that has no answer yet. Calls `progress` now and then. A line that fails is an answer
  // too: errors are of the files alone.
  Expected<BatchCounts> run(FunctionRef<void(const BatchCounts&)> progress);

 private:
  struct Job {
    BatchInput::Line line;
    std::unique_ptr<AnswerRun> run;  // null: the place is free
    std::string body;
    bool begun = false;  // it no longer waits in the engine's queue
  };
  // Jobs that have something to take, by place; told by the engine's thread.
  struct Ready {
    std::mutex mutex;
    std::condition_variable filled;
    std::vector<size_t> places;
  };

  Expected<> start_jobs();
  Expected<> start(const BatchInput::Line& line);
  bool is_for_later(int status) const;
  void run_job(const BatchInput::Line& line, std::unique_ptr<AnswerRun> run);
  Expected<> advance(Job& job);
  Expected<> refuse(const BatchRequest& request, HttpResponse response);
  Expected<> finish(std::string_view custom_id, int status, std::string_view body);
  Expected<> sync_if_due();

  const Api& api_;
  const Clock& clock_;
  BatchInput& input_;
  BatchOutput& output_;
  const IdSource ids_;
  BatchCounts counts_;
  std::vector<Job> jobs_;
  size_t num_running_ = 0;
  bool at_end_ = false;                   // of the input
  std::optional<BatchInput::Line> held_;  // the engine's queue had no room for it
  // Nor for these, when what they had waited for (a grammar) was there.
  std::deque<BatchInput::Line> returned_;
  bool queue_full_ = false;  // since one of those was tried, no job has begun or ended
  int64_t synced_ns_ = 0;
  Ready ready_;
};

}  // namespace quire
