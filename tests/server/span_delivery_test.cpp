// What becomes of spans as a collector answers.
#include "server/trace/span_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <thread>

namespace quire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::Not;

// Takes as many posts as it is given statuses, and answers each with its own.
class TestCollector {
 public:
  explicit TestCollector(std::vector<int> statuses)
      : statuses_(std::move(statuses)), thread_([this] { run(); }) {}
  ~TestCollector() { wait(); }

  OtlpEndpoint endpoint() const { return {"127.0.0.1", acceptor_.local_endpoint().port()}; }
  // What came, once all posts have.
  const std::vector<std::string>& wait() {
    if (thread_.joinable()) thread_.join();
    return bodies_;
  }

 private:
  void run() {
    for (const int status : statuses_) {
      tcp::socket socket = acceptor_.accept();
      asio::streambuf received;
      const size_t head_size = asio::read_until(socket, received, "\r\n\r\n");
      std::string text(asio::buffers_begin(received.data()), asio::buffers_end(received.data()));
      const size_t at = text.find("Content-Length: ") + 16;
      size_t size = 0;
      std::from_chars(text.data() + at, text.data() + head_size, size);
      std::string rest(head_size + size - text.size(), '\0');
      asio::read(socket, asio::buffer(rest));
      bodies_.push_back(text.substr(head_size) + rest);
      asio::write(socket,
                  asio::buffer(fmt::format(
                      "HTTP/1.1 {} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}", status)));
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  const std::vector<int> statuses_;
  std::vector<std::string> bodies_;
  std::thread thread_;
};

std::vector<TraceSpan> spans(size_t count, const char* name = "span") {
  TraceSpan span;
  span.trace_id = std::string(32, 'a');
  span.span_id = std::string(16, 'b');
  span.name = name;
  return std::vector<TraceSpan>(count, span);
}

class SpanDelivery : public testing::Test {
 protected:
  std::string counted(std::string_view what) const {
    const std::string text = metrics_.render();
    const std::string name = fmt::format("\nquire:spans_{}_total{{}} ", what);
    const size_t at = text.find(name);
    return at == std::string::npos
               ? "absent"
               : text.substr(at + name.size(), text.find('\n', at + 1) - at - name.size());
  }

  MetricsRegistry metrics_{""};
};

TEST_F(SpanDelivery, WhatACollectorPutsOffIsSentAgain) {
  TestCollector collector({503, 429, 200});
  {
    SpanExporter exporter(collector.endpoint(), "test", metrics_);
    exporter.add(spans(3));
    const auto& bodies = collector.wait();
    ASSERT_EQ(bodies.size(), 3u);
    EXPECT_THAT(bodies[0], HasSubstr("\"span\""));
    EXPECT_EQ(bodies[0], bodies[1]);
    EXPECT_EQ(bodies[0], bodies[2]);
  }
  EXPECT_EQ(counted("exported"), "3");
  EXPECT_EQ(counted("dropped"), "0");
}

TEST_F(SpanDelivery, WhatACollectorRefusesIsDroppedAndTheNextIsSent) {
  TestCollector collector({400, 200});
  {
    SpanExporter exporter(collector.endpoint(), "test", metrics_);
    exporter.add(spans(SpanExporter::kBatch, "refused"));
    exporter.add(spans(2, "taken"));
    const auto& bodies = collector.wait();
    ASSERT_EQ(bodies.size(), 2u);
    EXPECT_THAT(bodies[0], HasSubstr("refused"));
    EXPECT_THAT(bodies[1], HasSubstr("taken"));
    EXPECT_THAT(bodies[1], Not(HasSubstr("refused")));
  }
  EXPECT_EQ(counted("exported"), "2");
  EXPECT_EQ(counted("dropped"), std::to_string(SpanExporter::kBatch));
}

TEST_F(SpanDelivery, MoreThanMayWaitIsDroppedWhole) {
  {
    SpanExporter exporter({"127.0.0.1", 1}, "test", metrics_);  // where nobody listens
    exporter.add(spans(SpanExporter::kMaxWaiting + 1));
    EXPECT_EQ(counted("dropped"), std::to_string(SpanExporter::kMaxWaiting + 1));
    exporter.add(spans(5));
    EXPECT_EQ(counted("dropped"), std::to_string(SpanExporter::kMaxWaiting + 1));
  }
  EXPECT_EQ(counted("dropped"), std::to_string(SpanExporter::kMaxWaiting + 6)) << "they were never taken";
  EXPECT_EQ(counted("exported"), "0");
}

}  // namespace
}  // namespace quire
