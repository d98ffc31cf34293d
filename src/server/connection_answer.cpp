#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "server/http/sse.h"
#include "server/http_connection.h"
#include "server/routes.h"
#include "server/trace/request_tracer.h"

namespace quire {
namespace {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;

constexpr std::string_view kStillHere = ": still here\n\n";  // a comment, which readers of events pass over
constexpr double kLingerSeconds = 5;  // for a client to read the last answer while it still sends
constexpr double kSlowestBytesPerSecond = 64 << 10;  // at which a long answer must be taken

}  // namespace

// An answer before the request was read to its end: the connection cannot be used again unless there is no
// body.
void HttpConnection::refuse(const ApiError& error) {
  phase_ = Phase::kAnswering;
  count_body(0);
  keep_alive_ = &error != &reader_.error() && reader_.keep_alive() && !reader_.has_body() && !finishing_ &&
                !host_.api.draining();
  HttpResponse response = error_response(error);
  if (error.status == 405) {
    response.headers.emplace_back("Allow", Api::allowed_methods(reader_.head().path));
  }
  respond(std::move(response));
}

void HttpConnection::respond(HttpResponse response) {
  name_request();
  reshape_error(reader_.head().path, record_.request_id, response);
  add_common_headers(response);
  record_.status = response.status;
  answer_whole_ = true;
  std::string head = response_head(response, BodyLength::kKnown, keep_alive_, host_.clock.unix_seconds());
  if (reader_.head().method == HttpMethod::kHead) response.body.clear();
  write(OutgoingBytes(std::move(head), std::move(response.body)));
}

// Once for each request, whoever comes first.
void HttpConnection::name_request() {
  if (!record_.request_id.empty()) return;
  const std::string& given = reader_.head().request_id;
  record_.request_id = is_plain_id(given) ? given : host_.request_ids.next();
}

// What every answer has, whatever came of the request.
void HttpConnection::add_common_headers(HttpResponse& response) {
  name_request();
  response.headers.emplace_back("X-Request-Id", record_.request_id);
  if (is_anthropics(reader_.head().path)) response.headers.emplace_back("request-id", record_.request_id);
  const int64_t elapsed_ns = request_start_ns_ ? host_.clock.now_ns() - request_start_ns_ : 0;
  response.headers.emplace_back("openai-processing-ms", fmt::format("{}", elapsed_ns / 1'000'000));
  for (auto& header : std::exchange(run_headers_, {})) response.headers.push_back(std::move(header));
  host_.api.add_cors_headers(reader_.head(), response);
}

void HttpConnection::start_run(std::unique_ptr<AnswerRun> run) {
  run_ = std::move(run);
  run_headers_ = run_->headers();
  if (peer_ended_) return abandon("the client left");  // a read that was pending has told
  // The engine's thread must not own the connection for a moment: it would then destroy it.
  run_->set_notify([posted = pump_posted_, executor = socket_.executor(), weak = weak_from_this()] {
    if (posted->exchange(true)) return;
    asio::post(executor, [posted, weak] {
      posted->store(false);
      if (const auto self = weak.lock()) self->pump();
    });
  });
  if (run_->stream() && host_.config.stream_keep_alive > 0) watch_silence();
  start_read();  // to notice when the client leaves
  if (!finishing_) return;
  run_->finish();  // a worker had the request when the server ended
  pump();
}

// Writes what the engine has ready. While a write is under way nothing is taken: what comes meanwhile goes
// out together, and a slow reader's answer waits in the engine's stream, which its max_tokens bounds.
void HttpConnection::pump() {
  if (phase_ != Phase::kAnswering || writing_) return;
  if (run_is_away_) pumped_meanwhile_ = true;
  if (!run_) return;
  if (run_->takes_long()) return pump_away();
  take_step(advance_run(*run_));
}

// A long answer is written on a worker, so that no other connection waits for it.
void HttpConnection::pump_away() {
  run_is_away_ = true;
  asio::post(host_.workers, [self = shared_from_this(), run = std::move(run_)]() mutable {
    RunStep step = advance_run(*run);
    const auto executor = self->socket_.executor();
    asio::post(executor, [self = std::move(self), run = std::move(run), step = std::move(step)]() mutable {
      self->come_back(std::move(run), std::move(step));
    });
  });
}

void HttpConnection::come_back(std::unique_ptr<AnswerRun> run, RunStep step) {
  run_is_away_ = false;
  if (phase_ != Phase::kAnswering) return run.reset();
  run_ = std::move(run);
  if (peer_ended_) return abandon("the client left");
  if (finishing_) run_->finish();
  take_step(std::move(step));
  if (std::exchange(pumped_meanwhile_, false)) pump();
}

void HttpConnection::take_step(RunStep step) {
  if (step.failed) return fail_run(*step.failed);
  if (step.done) {
    record_.take(*run_);
    const auto run = std::exchange(run_, nullptr);
    peer_check_.cancel();
    silence_.cancel();
    if (run->error() && !stream_begun_) return respond(error_response(*run->error()));
    if (!run->stream()) return respond(json_response(std::move(step.piece)));
    record_.failed = run->error().has_value();
    if (record_.failed) record_.note += ", failed";
    if (record_.failed && step.piece.empty()) append_failure(step.piece, *run->error());
  } else if (step.piece.empty()) {
    return wait_for_turn();
  }
  write_stream_piece(step.piece, step.done);
}

// Of a stream that had bytes only to keep proxies patient: what was to write its events never began.
void HttpConnection::append_failure(std::string& piece, const ApiError& error) const {
  HttpResponse response = error_response(error);
  reshape_error(reader_.head().path, record_.request_id, response);
  append_named_event(piece, "error", response.body);
}

// A stream that has begun is cut off.
void HttpConnection::fail_run(const ApiError& error) {
  record_.take(*run_);
  record_.failed = true;
  if (stream_begun_) {
    account();
    return close();
  }
  run_.reset();
  peer_check_.cancel();
  silence_.cancel();
  respond(error_response(error));
}

void HttpConnection::wait_for_turn() {
  const double seconds = run_->pause_seconds();
  if (seconds == 0) return;
  turn_.expires_after(std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)));
  turn_.async_wait([weak = weak_from_this()](AsioError error) {
    const auto self = weak.lock();
    if (!error && self) self->pump();
  });
}

// While a request waits for its turn or its prompt is read, nothing is sent for so long that a status can
// still say what comes of it; then what keeps proxies patient, and an error is an event.
void HttpConnection::watch_silence() {
  spoke_ = false;
  silence_.expires_after(
      std::chrono::microseconds(static_cast<int64_t>(host_.config.stream_keep_alive * 1e6)));
  silence_.async_wait([weak = weak_from_this()](AsioError error) {
    const auto self = weak.lock();
    if (error || !self || !self->run_) return;
    if (!self->spoke_ && !self->writing_) self->write_stream_piece(kStillHere, false);
    self->watch_silence();
  });
}

void HttpConnection::write_stream_piece(std::string_view piece, bool last) {
  std::string bytes;
  const bool chunked = !reader_.is_http10();
  if (!stream_begun_) {
    if (!chunked) keep_alive_ = false;
    HttpResponse response{200, std::string(kEventStream), {{"Cache-Control", "no-cache"}}, {}};
    add_common_headers(response);
    bytes = response_head(response, chunked ? BodyLength::kChunked : BodyLength::kUntilClose, keep_alive_,
                          host_.clock.unix_seconds());
    stream_begun_ = true;
    record_.status = 200;
  }
  if (chunked) {
    append_chunk(bytes, piece);
    if (last) append_last_chunk(bytes);
  } else {
    bytes += piece;
  }
  answer_whole_ = last;
  spoke_ = true;
  write(OutgoingBytes(std::move(bytes)));
}

void HttpConnection::write(OutgoingBytes bytes) {
  out_ = std::move(bytes);
  writing_ = true;
  // Not anew with every byte that is taken: a client that dribbles would hold the answer for hours.
  arm(host_.config.write_timeout + static_cast<double>(out_.size()) / kSlowestBytesPerSecond);
  write_some();
}

void HttpConnection::write_some() {
  socket_.write_some(out_.next(), [self = shared_from_this()](AsioError error, size_t bytes) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->abandon("the client left");
    self->out_.wrote(bytes);
    if (self->out_.size() > 0) return self->write_some();
    self->on_written();
  });
}

void HttpConnection::on_written() {
  writing_ = false;
  if (std::string written = std::exchange(out_, {}).take_written(); is_large(written)) {
    asio::post(host_.workers, [written = std::move(written)]() mutable { give_back(std::move(written)); });
  }
  disarm();
  if (!answer_whole_) return pump();
  account();
  record_ = {};
  answer_whole_ = stream_begun_ = false;
  request_start_ns_ = 0;
  waiting_for_ = HttpReader::State::kDone;
  if (!keep_alive_ || finishing_) return linger();
  reader_.next();
  phase_ = Phase::kReading;
  process();
}

// Closing at once would make the kernel drop the answer if bytes of the client are still unread.
void HttpConnection::linger() {
  if (peer_ended_ || finishing_) return close();
  socket_.shut_writing();
  phase_ = Phase::kLingering;
  arm(kLingerSeconds);
  start_read();
}

void HttpConnection::abandon(std::string_view why) {
  if (run_) record_.take(*run_);
  record_.status = 499;
  record_.note = why;
  account();
  close();
}

void HttpConnection::account() {
  if (host_.tracer != nullptr) trace_answer();
  if (!host_.config.log_requests) return;
  record_.peer = socket_.peer();
  record_.key = host_.api.key_name(reader_.head());
  record_.method = reader_.method();
  record_.target = reader_.target();
  record_.elapsed_ns = request_start_ns_ ? host_.clock.now_ns() - request_start_ns_ : 0;
  log_request(record_);
}

void HttpConnection::trace_answer() {
  const RequestHead& head = reader_.head();
  host_.tracer->record({.head = head,
                        .peer = socket_.peer(),
                        .status = record_.status,
                        .failed = record_.failed,
                        .is_known_path = !Api::allowed_methods(head.path).empty(),
                        .is_https = host_.tls != nullptr,
                        .start_ns = request_start_ns_,
                        .end_ns = host_.clock.now_ns(),
                        .generation = record_.generation});
}

}  // namespace quire
