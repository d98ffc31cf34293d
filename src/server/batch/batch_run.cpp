#include "server/batch/batch_run.h"

#include <algorithm>
#include <utility>

#include "server/routes.h"

namespace quire {
namespace {

constexpr int64_t kSyncNs = 1'000'000'000;  // what a machine that fails may lose, to be computed again

}  // namespace

BatchRun::BatchRun(const Api& api, const Clock& clock, BatchInput& input, BatchOutput& output,
                   int32_t max_at_once)
    : api_(api),
      clock_(clock),
      input_(input),
      output_(output),
      jobs_(static_cast<size_t>(std::max(max_at_once, 1))),
      synced_ns_(clock.now_ns()) {}

// Their notifications name ready_, which goes before them.
BatchRun::~BatchRun() { jobs_.clear(); }

Expected<BatchCounts> BatchRun::run(FunctionRef<void(const BatchCounts&)> progress) {
  std::vector<size_t> places;
  while (true) {
    if (auto started = start_jobs(); !started) return std::unexpected(started.error());
    progress(counts_);
    if (num_running_ == 0) break;
    {
      std::unique_lock lock(ready_.mutex);
      ready_.filled.wait(lock, [&] { return !ready_.places.empty(); });
      places.swap(ready_.places);
    }
    for (const size_t place : places) {
      if (!jobs_[place].run) continue;  // told of once more after its end
      if (auto advanced = advance(jobs_[place]); !advanced) return std::unexpected(advanced.error());
    }
    places.clear();
    if (auto synced = sync_if_due(); !synced) return std::unexpected(synced.error());
  }
  if (auto synced = output_.sync(); !synced) return std::unexpected(synced.error());
  return counts_;
}

Expected<> BatchRun::start_jobs() {
  while (num_running_ < jobs_.size() && !queue_full_) {
    if (!held_ && !returned_.empty()) {
      held_ = std::move(returned_.front());
      returned_.pop_front();
    }
    if (!held_ && !at_end_) {
      auto line = input_.next();
      if (!line) return std::unexpected(line.error());
      held_ = std::move(*line);
      at_end_ = !held_;
    }
    if (!held_) return {};
    const BatchInput::Line line = std::move(*held_);
    held_.reset();
    if (output_.has(batch_key(line.request.custom_id, line.number))) {
      ++counts_.found;
      continue;
    }
    if (auto started = start(line); !started) return started;
  }
  return {};
}

Expected<> BatchRun::start(const BatchInput::Line& line) {
  const BatchRequest& request = line.request;
  if (request.error) {
    ++counts_.answered;
    ++counts_.failed;
    return output_.append(failure_line(ids_.next(), request.custom_id, line.number, *request.error));
  }
  const RequestHead head{.method = HttpMethod::kPost,
                         .path = request.url,
                         .authorization = {},
                         .content_type = "application/json"};
  if (const auto refused = api_.refuse(head)) {
    return refuse(request, error_response(*refused));
  }
  Api::Reply reply = api_.handle(head, request.body);
  if (auto* response = std::get_if<HttpResponse>(&reply)) {
    if (is_for_later(response->status)) {
      held_ = line;
      queue_full_ = true;
      return {};
    }
    return refuse(request, std::move(*response));
  }
  auto& run = std::get<std::unique_ptr<AnswerRun>>(reply);
  if (run->stream()) {
    const ApiError error{400, "stream cannot be true in a batch: an answer is one line", "stream", {}, 0};
    return refuse(request, error_response(error));
  }
  run_job(line, std::move(run));
  return {};
}

// A queue is full, or one waited too long in it: room comes as others begin and end.
bool BatchRun::is_for_later(int status) const {
  return (status == 429 || status == 503) && num_running_ > 0;
}

void BatchRun::run_job(const BatchInput::Line& line, std::unique_ptr<AnswerRun> run) {
  const auto free = std::ranges::find_if(jobs_, [](const Job& job) { return job.run == nullptr; });
  const auto place = static_cast<size_t>(free - jobs_.begin());
  *free = {.line = line, .run = std::move(run), .body = {}};
  ++num_running_;
  free->run->set_notify([this, place] {
    const std::lock_guard lock(ready_.mutex);
    ready_.places.push_back(place);
    ready_.filled.notify_one();
  });
}

Expected<> BatchRun::advance(Job& job) {
  if (job.run->advance(job.body) == AnswerRun::Progress::kMore) {
    // Not at what else it is told of: that its grammar is there and it may join the queue.
    if (!job.begun && job.run->usage().generated_tokens > 0) {
      job.begun = true;
      queue_full_ = false;
    }
    return {};
  }
  queue_full_ = false;
  const std::unique_ptr<AnswerRun> run = std::move(job.run);
  const std::string body = std::move(job.body);
  --num_running_;
  if (!run->error()) return finish(job.line.request.custom_id, 200, body);
  if (is_for_later(run->error()->status)) {
    returned_.push_back(std::move(job.line));
    queue_full_ = true;
    return {};
  }
  return refuse(job.line.request, error_response(*run->error()));
}

// With what the API's connections would write, or what an endpoint answers at once.
Expected<> BatchRun::refuse(const BatchRequest& request, HttpResponse response) {
  reshape_error(request.url, {}, response);
  return finish(request.custom_id, response.status, response.body);
}

Expected<> BatchRun::finish(std::string_view custom_id, int status, std::string_view body) {
  ++counts_.answered;
  if (status != 200) ++counts_.failed;
  return output_.append(answer_line(ids_.next(), custom_id, status, body));
}

Expected<> BatchRun::sync_if_due() {
  const int64_t now_ns = clock_.now_ns();
  if (now_ns - synced_ns_ < kSyncNs) return {};
  synced_ns_ = now_ns;
  return output_.sync();
}

}  // namespace quire
