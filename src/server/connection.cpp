#include "server/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "server/http/client_socket.h"
#include "server/http/http_reader.h"
#include "server/http/sse.h"
#include "server/request_log.h"
#include "server/request_work.h"
#include "server/routes.h"
#include "server/trace/request_tracer.h"

namespace quire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using AsioError = boost::system::error_code;

constexpr double kLingerSeconds = 5;  // for a client to read the last answer while it still sends
constexpr double kPeerCheckSeconds = 0.5;
constexpr int64_t kBodiesHeld = 16;  // bodies of full size that all connections together may hold
constexpr double kSlowestBytesPerSecond = 64 << 10;  // at which a long answer must be taken

class HttpConnection final : public Connection, public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(uint64_t id, tcp::socket socket, ConnectionHost& host)
      : id_(id),
        host_(host),
        socket_(std::move(socket), host.tls),
        deadline_(socket_.executor()),
        peer_check_(socket_.executor()),
        turn_(socket_.executor()),
        reader_({static_cast<size_t>(host.config.max_header_bytes),
                 static_cast<size_t>(host.config.max_body_bytes)}) {}
  ~HttpConnection() override {
    run_.reset();
    count_body(0);
    host_.on_closed(id_);
  }

  void begin();
  void finish() override;
  void kill() override;

 private:
  enum class Phase : uint8_t { kHandshaking, kReading, kAnswering, kLingering, kClosed };

  // Reading.
  void on_handshake(AsioError error);
  void process();
  void start_read();
  void on_read(AsioError error, size_t bytes);
  void on_peer_end();
  void check_peer();
  void on_head();
  void on_request();
  void answer(Api::Reply reply);
  void count_body(size_t bytes);

  // Answering.
  void refuse(const ApiError& error);
  void respond(HttpResponse response);
  void name_request();
  void add_common_headers(HttpResponse& response);
  void start_run(std::unique_ptr<AnswerRun> run);
  void pump();
  void wait_for_turn();
  void write_stream_piece(std::string_view piece, bool last);
  void write(std::string bytes);
  void write_some();
  void on_written();
  void linger();
  void abandon(std::string_view why);

  void arm(double seconds);
  void disarm();
  void on_deadline();
  void close();
  void account();
  void trace_answer();

  const uint64_t id_;
  ConnectionHost& host_;
  ClientSocket socket_;
  asio::steady_timer deadline_;  // of what is being waited for: bytes of a request, or room to write
  asio::steady_timer peer_check_;
  asio::steady_timer turn_;              // of an answer that goes on with time
  std::array<char, 64 << 10> received_;  // what of it no read has filled takes no memory
  HttpReader reader_;
  Phase phase_ = Phase::kHandshaking;
  HttpReader::State waiting_for_ = HttpReader::State::kDone;  // what the deadline is of while reading
  uint64_t deadline_number_ = 0;                              // expirations of older ones do not count
  bool reading_ = false;                                      // a read is pending
  bool peer_ended_ = false;                                   // the client sends no more
  bool keep_alive_ = false;
  bool finishing_ = false;
  int64_t body_counted_ = 0;

  std::unique_ptr<AnswerRun> run_;
  std::shared_ptr<std::atomic<bool>> pump_posted_ = std::make_shared<std::atomic<bool>>(false);
  bool stream_begun_ = false;  // the stream's header is in out_ or gone
  bool answer_whole_ = false;  // all of the answer is in out_ or gone
  int64_t request_start_ns_ = 0;
  ResponseHeaders run_headers_;
  RequestRecord record_;  // of the request that is read or answered

  std::string out_;  // being written
  size_t written_ = 0;
  bool writing_ = false;
};

void HttpConnection::begin() {
  arm(host_.config.header_timeout);
  socket_.handshake([self = shared_from_this()](AsioError error, size_t) { self->on_handshake(error); });
}

void HttpConnection::on_handshake(AsioError error) {
  if (phase_ != Phase::kHandshaking) return;
  disarm();
  const bool plain_http = error == boost::system::errc::wrong_protocol_type;
  if (error && !plain_http) return close();
  phase_ = Phase::kReading;
  if (plain_http) return refuse({400, "this port speaks HTTPS: the URL begins with https://", {}, {}, 0});
  process();
}

void HttpConnection::finish() {
  asio::post(socket_.executor(), [self = shared_from_this()] {
    self->finishing_ = true;
    if (self->phase_ != Phase::kAnswering) self->close();
    if (!self->run_) return;
    self->run_->finish();
    self->pump();
  });
}

void HttpConnection::kill() {
  asio::post(socket_.executor(), [self = shared_from_this()] { self->close(); });
}

// Reads as many requests as wait, until one is to be answered or more bytes are needed.
void HttpConnection::process() {
  while (phase_ == Phase::kReading) {
    const HttpReader::State state = reader_.advance();
    switch (state) {
      case HttpReader::State::kHeadDone: on_head(); continue;
      case HttpReader::State::kDone: on_request(); continue;
      case HttpReader::State::kFailed: refuse(reader_.error()); continue;
      case HttpReader::State::kIdle:
      case HttpReader::State::kHead:
      case HttpReader::State::kBody: break;
    }
    if (peer_ended_) return close();
    count_body(reader_.body_bytes());
    if (host_.body_bytes.load() > kBodiesHeld * host_.config.max_body_bytes) {
      return refuse({503, "too many large requests at once", {}, "unavailable", 1});
    }
    if (state != waiting_for_) {
      waiting_for_ = state;
      const ServerConfig& config = host_.config;
      if (state == HttpReader::State::kHead) request_start_ns_ = host_.clock.now_ns();
      arm(state == HttpReader::State::kIdle   ? config.idle_timeout
          : state == HttpReader::State::kHead ? config.header_timeout
                                              : config.body_timeout);
    }
    return start_read();
  }
}

void HttpConnection::start_read() {
  if (reading_ || peer_ended_ || phase_ == Phase::kClosed) return;
  // While an answer is made, requests behind it are read ahead only so far.
  const size_t room =
      phase_ == Phase::kLingering ? received_.size() : std::min(reader_.room(), received_.size());
  if (room == 0) return check_peer();
  reading_ = true;
  socket_.read_some({received_.data(), room}, [self = shared_from_this()](AsioError error, size_t bytes) {
    self->on_read(error, bytes);
  });
}

void HttpConnection::on_read(AsioError error, size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) return on_peer_end();
  if (phase_ == Phase::kLingering) return start_read();  // what comes now is dropped
  reader_.put({received_.data(), bytes});
  if (phase_ == Phase::kReading) return process();
  start_read();
}

// While the engine works a client that ends its side has left, even if it could still read: nothing tells
// the two apart. Whole answers that are on their way are written out.
void HttpConnection::on_peer_end() {
  peer_ended_ = true;
  if (phase_ == Phase::kAnswering && run_) return abandon("the client left");
  if (phase_ == Phase::kAnswering) return;
  close();
}

// The read buffer is full, so no read tells when the client leaves: ask now and then.
void HttpConnection::check_peer() {
  if (!run_) return;
  peer_check_.expires_after(std::chrono::milliseconds(static_cast<int64_t>(kPeerCheckSeconds * 1000)));
  peer_check_.async_wait([weak = weak_from_this()](AsioError error) {
    const auto self = weak.lock();
    if (error || !self || self->phase_ != Phase::kAnswering || !self->run_) return;
    if (self->socket_.peer_left()) return self->on_peer_end();
    self->check_peer();
  });
}

void HttpConnection::on_head() {
  if (request_start_ns_ == 0) request_start_ns_ = host_.clock.now_ns();
  name_request();
  if (const auto refused = host_.api.refuse(reader_.head())) return refuse(*refused);
  if (reader_.expects_continue()) socket_.send_now("HTTP/1.1 100 Continue\r\n\r\n");
}

void HttpConnection::on_request() {
  phase_ = Phase::kAnswering;
  disarm();
  keep_alive_ = reader_.keep_alive() && !host_.api.draining() && !finishing_;
  if (reader_.head().method != HttpMethod::kPost) return answer(host_.api.handle(reader_.head(), {}));
  // A long text takes a while, and no other connection waits for it. Nothing is read meanwhile, so the head
  // stays as it is.
  asio::post(host_.workers, [self = shared_from_this(), body = reader_.take_body()]() mutable {
    Api::Reply reply = handle_request(self->host_.api, self->reader_.head(), body);
    const auto executor = self->socket_.executor();
    asio::post(executor, [self = std::move(self), reply = std::move(reply)]() mutable {
      self->answer(std::move(reply));
    });
    give_back(std::move(body));
  });
}

void HttpConnection::answer(Api::Reply reply) {
  count_body(0);
  if (phase_ != Phase::kAnswering) return;
  if (auto* response = std::get_if<HttpResponse>(&reply)) return respond(std::move(*response));
  start_run(std::move(std::get<std::unique_ptr<AnswerRun>>(reply)));
}

void HttpConnection::count_body(size_t bytes) {
  const auto now = static_cast<int64_t>(bytes);
  if (now == body_counted_) return;
  host_.body_bytes.fetch_add(now - body_counted_);
  body_counted_ = now;
}

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
  reshape_error(reader_.head().path, response);
  add_common_headers(response);
  record_.status = response.status;
  answer_whole_ = true;
  std::string bytes = response_head(response, BodyLength::kKnown, keep_alive_, host_.clock.unix_seconds());
  if (reader_.head().method != HttpMethod::kHead) bytes += response.body;
  write(std::move(bytes));
}

void HttpConnection::name_request() {
  const std::string& given = reader_.head().request_id;
  record_.request_id = is_plain_id(given) ? given : host_.request_ids.next();
}

// What every answer has, whatever came of the request.
void HttpConnection::add_common_headers(HttpResponse& response) {
  if (record_.request_id.empty()) name_request();
  response.headers.emplace_back("X-Request-Id", record_.request_id);
  const int64_t elapsed_ns = request_start_ns_ ? host_.clock.now_ns() - request_start_ns_ : 0;
  response.headers.emplace_back("openai-processing-ms", fmt::format("{}", elapsed_ns / 1'000'000));
  for (auto& header : std::exchange(run_headers_, {})) response.headers.push_back(std::move(header));
  host_.api.add_cors_headers(reader_.head(), response);
}

void HttpConnection::start_run(std::unique_ptr<AnswerRun> run) {
  run_ = std::move(run);
  run_headers_ = run_->headers();
  // The engine's thread must not own the connection for a moment: it would then destroy it.
  run_->set_notify([posted = pump_posted_, executor = socket_.executor(), weak = weak_from_this()] {
    if (posted->exchange(true)) return;
    asio::post(executor, [posted, weak] {
      posted->store(false);
      if (const auto self = weak.lock()) self->pump();
    });
  });
  start_read();  // to notice when the client leaves
}

// Writes what the engine has ready. While a write is under way nothing is taken: what comes meanwhile goes
// out together, and a slow reader's answer waits in the engine's stream, which its max_tokens bounds.
void HttpConnection::pump() {
  if (phase_ != Phase::kAnswering || !run_ || writing_) return;
  std::string piece;
  const bool done = run_->advance(piece) == AnswerRun::Progress::kDone;
  if (done) {
    record_.take(*run_);
    const auto run = std::exchange(run_, nullptr);
    peer_check_.cancel();
    if (run->error() && !stream_begun_) return respond(error_response(*run->error()));
    if (!run->stream()) return respond(json_response(std::move(piece)));
    record_.failed = run->error().has_value();
    if (record_.failed) record_.note += ", failed";
  } else if (piece.empty()) {
    return wait_for_turn();
  }
  write_stream_piece(piece, done);
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
  write(std::move(bytes));
}

void HttpConnection::write(std::string bytes) {
  out_ = std::move(bytes);
  written_ = 0;
  writing_ = true;
  // Not anew with every byte that is taken: a client that dribbles would hold the answer for hours.
  arm(host_.config.write_timeout + static_cast<double>(out_.size()) / kSlowestBytesPerSecond);
  write_some();
}

void HttpConnection::write_some() {
  socket_.write_some(std::string_view(out_).substr(written_),
                     [self = shared_from_this()](AsioError error, size_t bytes) {
                       if (self->phase_ == Phase::kClosed) return;
                       if (error) return self->abandon("the client left");
                       self->written_ += bytes;
                       if (self->written_ < self->out_.size()) return self->write_some();
                       self->on_written();
                     });
}

void HttpConnection::on_written() {
  writing_ = false;
  out_ = {};
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

void HttpConnection::arm(double seconds) {
  const uint64_t number = ++deadline_number_;
  deadline_.expires_after(std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)));
  deadline_.async_wait([weak = weak_from_this(), number](AsioError error) {
    const auto self = weak.lock();
    if (!error && self && self->deadline_number_ == number) self->on_deadline();
  });
}

void HttpConnection::disarm() {
  ++deadline_number_;
  deadline_.cancel();
}

void HttpConnection::on_deadline() {
  if (phase_ == Phase::kAnswering) return abandon("the client does not read");
  if (phase_ != Phase::kReading || waiting_for_ == HttpReader::State::kIdle) return close();
  refuse({408, "the request took too long to arrive", {}, "request_timeout", 0});
}

// What the engine still does for this client ends here. Under TLS an answer that is not whole must not look
// as if it were: its end is left unsaid.
void HttpConnection::close() {
  if (!run_ && !writing_) socket_.shut_writing();
  phase_ = Phase::kClosed;
  run_.reset();
  disarm();
  peer_check_.cancel();
  turn_.cancel();
  socket_.close();
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

}  // namespace

std::shared_ptr<Connection> Connection::start(uint64_t id, tcp::socket socket, ConnectionHost& host) {
  auto connection = std::make_shared<HttpConnection>(id, std::move(socket), host);
  connection->begin();
  return connection;
}

}  // namespace quire
