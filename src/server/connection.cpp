#include "server/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "server/http_connection.h"

namespace quire {
namespace {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;

constexpr double kPeerCheckSeconds = 0.5;
constexpr int64_t kBodiesHeld = 16;  // bodies of full size that all connections together may hold

}  // namespace

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
    if (self->run_) self->run_->finish();
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
// the two apart. Whole answers that are on their way are written out. A run that is yet to come, or to come
// back, is abandoned then.
void HttpConnection::on_peer_end() {
  peer_ended_ = true;
  if (phase_ == Phase::kAnswering && run_) return abandon("the client left");
  if (phase_ == Phase::kAnswering) return;
  close();
}

// The read buffer is full, so no read tells when the client leaves: ask now and then.
void HttpConnection::check_peer() {
  if (!has_run()) return;
  peer_check_.expires_after(std::chrono::milliseconds(static_cast<int64_t>(kPeerCheckSeconds * 1000)));
  peer_check_.async_wait([weak = weak_from_this()](AsioError error) {
    const auto self = weak.lock();
    if (error || !self || self->phase_ != Phase::kAnswering || !self->has_run()) return;
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
  if (reader_.head().method != HttpMethod::kPost)
    return answer(handle_request(host_.api, reader_.head(), {}));
  auto pending = host_.api.take();
  if (!pending) return answer(error_response(draining_error()));
  // A long text takes a while, and no other connection waits for it. Nothing is read meanwhile, so the head
  // stays as it is.
  asio::post(host_.workers, [self = shared_from_this(), pending = std::move(pending),
                             body = reader_.take_body()]() mutable {
    Api::Reply reply = handle_request(self->host_.api, self->reader_.head(), body);
    pending.reset();
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
  if (!has_run() && !writing_) socket_.shut_writing();
  phase_ = Phase::kClosed;
  run_.reset();
  disarm();
  peer_check_.cancel();
  silence_.cancel();
  turn_.cancel();
  socket_.close();
}

std::shared_ptr<Connection> Connection::start(uint64_t id, boost::asio::ip::tcp::socket socket,
                                              ConnectionHost& host) {
  auto connection = std::make_shared<HttpConnection>(id, std::move(socket), host);
  connection->begin();
  return connection;
}

}  // namespace quire
