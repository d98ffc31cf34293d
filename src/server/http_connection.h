// A connection as it is made: connection.cpp reads requests, connection_answer.cpp writes answers. Nobody
// else includes this.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/connection.h"
#include "server/generation/answer_run.h"
#include "server/http/client_socket.h"
#include "server/http/http_reader.h"
#include "server/http/outgoing_bytes.h"
#include "server/request_log.h"
#include "server/request_work.h"

namespace quire {

class HttpConnection final : public Connection, public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(uint64_t id, boost::asio::ip::tcp::socket socket, ConnectionHost& host)
      : id_(id),
        host_(host),
        socket_(std::move(socket), host.tls),
        deadline_(socket_.executor()),
        peer_check_(socket_.executor()),
        silence_(socket_.executor()),
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
  void on_handshake(boost::system::error_code error);
  void process();
  void start_read();
  void on_read(boost::system::error_code error, size_t bytes);
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
  bool has_run() const { return run_ || run_is_away_; }
  void pump();
  void pump_away();
  void come_back(std::unique_ptr<AnswerRun> run, RunStep step);
  void take_step(RunStep step);
  void append_failure(std::string& piece, const ApiError& error) const;
  void fail_run(const ApiError& error);
  void wait_for_turn();
  void watch_silence();
  void write_stream_piece(std::string_view piece, bool last);
  void write(OutgoingBytes bytes);
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
  boost::asio::steady_timer deadline_;  // of what is being waited for: bytes of a request, or room to write
  boost::asio::steady_timer peer_check_;
  boost::asio::steady_timer silence_;    // of a stream
  boost::asio::steady_timer turn_;       // of an answer that goes on with time
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
  bool run_is_away_ = false;       // on a worker, which writes a long answer
  bool pumped_meanwhile_ = false;  // the run was notified while it was away
  std::shared_ptr<std::atomic<bool>> pump_posted_ = std::make_shared<std::atomic<bool>>(false);
  bool stream_begun_ = false;  // the stream's header is in out_ or gone
  bool spoke_ = false;         // a piece of the stream was written since silence_ last looked
  bool answer_whole_ = false;  // all of the answer is in out_ or gone
  int64_t request_start_ns_ = 0;
  ResponseHeaders run_headers_;
  RequestRecord record_;  // of the request that is read or answered

  OutgoingBytes out_;  // being written
  bool writing_ = false;
};

}  // namespace quire
