#include "bench/load_generator.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <mutex>
#include <thread>

namespace quire {
namespace {

using boost::asio::ip::tcp;
namespace http = boost::beast::http;

std::string plain(int status, const std::string& body) {
  return fmt::format("HTTP/1.1 {} X\r\ncontent-length: {}\r\n\r\n{}", status, body.size(), body);
}

std::string chunked(std::initializer_list<std::string> pieces) {
  std::string out =
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  for (const std::string& piece : pieces) out += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  return out + "0\r\n\r\n";
}

const std::string kToken = "data: {\"choices\":[{\"text\":\" a\",\"finish_reason\":null}]}\n\n";
const std::string kEnd = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}]}\n\n";
const std::string kUsage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n";
const std::string kDone = "data: [DONE]\n\n";

// Answers every request, one after the other, with what `answer` makes of its path and body; raw bytes.
class FakeServer {
 public:
  using Answer = std::function<std::string(const std::string& path, const std::string& body)>;
  explicit FakeServer(Answer answer)
      : acceptor_(context_, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)),
        port_(acceptor_.local_endpoint().port()),
        answer_(std::move(answer)),
        thread_([this] { serve(); }) {}

  ~FakeServer() {
    stopping_ = true;
    tcp::socket(context_).connect({boost::asio::ip::make_address("127.0.0.1"), port_});  // wakes accept()
    thread_.join();
  }

  uint16_t port() const { return port_; }
  std::vector<std::string> bodies() const {
    std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  void serve() {
    while (true) {
      tcp::socket socket = acceptor_.accept();
      if (stopping_) return;
      boost::beast::flat_buffer buffer;
      http::request<http::string_body> request;
      boost::system::error_code error;
      http::read(socket, buffer, request, error);
      if (error) continue;
      {
        std::lock_guard lock(mutex_);
        if (!request.body().empty()) bodies_.push_back(request.body());
      }
      const std::string bytes = answer_(std::string(request.target()), request.body());
      boost::asio::write(socket, boost::asio::buffer(bytes), error);
      socket.shutdown(tcp::socket::shutdown_send, error);
    }
  }

  boost::asio::io_context context_;
  tcp::acceptor acceptor_;
  const uint16_t port_;
  const Answer answer_;
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

std::vector<WorkItem> three_items() {
  std::vector<WorkItem> items(3);
  for (WorkItem& item : items) item = {.arrival_s = 0, .prompt = {5, 6, 7}, .max_tokens = 3};
  return items;
}

Expected<LoadResult> load(const FakeServer& server, LoadOptions options) {
  options.port = server.port();
  const SystemClock clock;
  size_t finished = 0;
  auto result = run_load(options, three_items(), clock,
                         [&](const LoadProgress& progress) { finished = progress.finished; });
  if (result) {
    EXPECT_EQ(finished, 3u);
  }
  return result;
}

LoadOptions named_model() {
  LoadOptions options;
  options.model = "m";
  options.scrape_interval_s = 0;
  return options;
}

TEST(LoadGenerator, MeasuresAStream) {
  const FakeServer server([](const std::string&, const std::string&) {
    return chunked({kToken, kToken + kToken, kEnd, kUsage, kDone});
  });
  const auto result = load(server, named_model());
  ASSERT_TRUE(result) << result.error().message;
  for (const RequestRecord& record : result->records) {
    EXPECT_TRUE(record.ok) << record.error;
    EXPECT_EQ(record.input_tokens, 9);
    EXPECT_EQ(record.output_tokens, 3);
    EXPECT_EQ(record.itl_s.size(), 2u);
    EXPECT_GT(record.ttft_s, 0);
    EXPECT_GE(record.e2el_s, record.ttft_s);
  }
  EXPECT_FALSE(result->kv_waste);
}

TEST(LoadGenerator, CountsChunksWithoutUsage) {
  const FakeServer server([](const std::string&, const std::string&) {
    return chunked({kToken, kToken, kDone});
  });
  const auto result = load(server, named_model());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->records[0].input_tokens, 3);
  EXPECT_EQ(result->records[0].output_tokens, 2);
}

TEST(LoadGenerator, AFailedRequestIsARecord) {
  std::atomic<int> calls = 0;
  const FakeServer server([&](const std::string&, const std::string&) {
    switch (calls++) {
      case 0: return plain(429, R"({"error":{"message":"queue full"}})");
      case 1: return chunked({kToken, "data: {\"error\":{\"message\":\"broke\"}}\n\n"});
      default:
        return std::string("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nda");  // and hangs up
    }
  });
  LoadOptions options = named_model();
  options.max_concurrency = 1;  // one after the other, so that the answers are in order
  const auto result = load(server, options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->records[0].error, "429: queue full");
  EXPECT_NE(result->records[1].error.find("broke"), std::string::npos);
  EXPECT_FALSE(result->records[2].ok);
  EXPECT_FALSE(result->records[2].error.empty());
  EXPECT_EQ(result->peak_concurrency, 1);
}

TEST(LoadGenerator, AnAnswerWithoutATokenIsAFailure) {
  const FakeServer server([](const std::string&, const std::string&) { return chunked({kDone}); });
  const auto result = load(server, named_model());
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->records[0].ok);
}

TEST(LoadGenerator, NobodyListensIsARecordToo) {
  uint16_t port = 0;
  {
    boost::asio::io_context context;  // a port that is free for a moment
    const tcp::acceptor acceptor(context, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
    port = acceptor.local_endpoint().port();
  }
  LoadOptions options = named_model();
  options.port = port;
  const SystemClock clock;
  const auto result = run_load(options, three_items(), clock, [](const LoadProgress&) {});
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->records[0].ok);
  options.model.clear();
  EXPECT_FALSE(run_load(options, three_items(), clock, [](const LoadProgress&) {}));
}

TEST(LoadGenerator, FindsTheModelAndTheKvGauges) {
  const FakeServer server([](const std::string& path, const std::string&) {
    if (path == "/v1/models") return plain(200, R"({"data":[{"id":"found"}]})");
    if (path == "/metrics") {
      return plain(
          200,
          "quire:kv_slots_allocated{model_name=\"x\"} 200\nquire:kv_slots_filled{model_name=\"x\"} 190\n");
    }
    return chunked({kToken, kEnd, kDone});
  });
  const auto result = load(server, LoadOptions{});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->model, "found");
  ASSERT_TRUE(result->kv_waste);
  EXPECT_NEAR(*result->kv_waste, 0.05, 1e-9);
  for (const std::string& body : server.bodies()) EXPECT_NE(body.find("\"found\""), std::string::npos);
}

TEST(CompletionBody, SaysWhatWasAskedFor) {
  LoadOptions options = named_model();
  options.ignore_eos = true;
  options.extra_body = R"( {"cache_prompt": false, "top_k": 5} )";
  const std::string text = completion_body(options, "a \"model\"", three_items()[0]);
  simdjson::dom::parser parser;
  simdjson::dom::element body;
  ASSERT_EQ(parser.parse(text).get(body), simdjson::SUCCESS) << text;
  EXPECT_EQ(body["model"].get_string().value(), "a \"model\"");
  EXPECT_EQ(body["prompt"].at(2).get_int64().value(), 7);
  EXPECT_EQ(body["max_tokens"].get_int64().value(), 3);
  EXPECT_TRUE(body["stream"].get_bool().value());
  EXPECT_TRUE(body["stream_options"]["include_usage"].get_bool().value());
  EXPECT_TRUE(body["ignore_eos"].get_bool().value());
  EXPECT_FALSE(body["cache_prompt"].get_bool().value());
  EXPECT_EQ(body["top_k"].get_int64().value(), 5);
  options.extra_body = "{ }";
  EXPECT_EQ(parser.parse(completion_body(options, "m", three_items()[0])).error(), simdjson::SUCCESS);
}

TEST(CompletionBody, ExtraMembersReplaceItsOwn) {
  LoadOptions options = named_model();
  options.ignore_eos = true;
  options.extra_body = R"({"temperature": 0.7, "prompt": "a {text}", "\u0073tream": false, "top_k": 5})";
  const std::string text = completion_body(options, "m", three_items()[0]);
  simdjson::dom::parser parser;
  simdjson::dom::object body;
  ASSERT_EQ(parser.parse(text).get(body), simdjson::SUCCESS) << text;
  std::vector<std::string> names;
  for (const auto member : body) names.emplace_back(member.key);
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"ignore_eos", "max_tokens", "model", "prompt", "stream",
                                             "stream_options", "temperature", "top_k"}));
  EXPECT_EQ(body["temperature"].get_double().value(), 0.7);
  EXPECT_EQ(body["prompt"].get_string().value(), "a {text}");
  EXPECT_FALSE(body["stream"].get_bool().value());

  options.extra_body =
      R"({"model":"x","prompt":[1],"max_tokens":1,"temperature":1,"stream":true,"stream_options":{},)"
      R"("ignore_eos":false})";
  EXPECT_EQ(completion_body(options, "m", three_items()[0]), options.extra_body);
}

TEST(LoadGenerator, RefusesAnExtraBodyThatIsNoObject) {
  LoadOptions options = named_model();
  options.extra_body = "[1]";
  const SystemClock clock;
  const auto result = run_load(options, three_items(), clock, [](const LoadProgress&) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().param, "extra_body");
}

TEST(MetricValue, ReadsPrometheusText) {
  const std::string text =
      "# HELP quire:x help\n# TYPE quire:x gauge\nquire:xy 1\nquire:x{a=\"b c\"} 2.5\nquire:x 3\n";
  EXPECT_EQ(metric_value(text, "quire:x"), 2.5);
  EXPECT_EQ(metric_value(text, "quire:xy"), 1);
  EXPECT_FALSE(metric_value(text, "quire:z"));
  EXPECT_FALSE(metric_value("quire:x nonsense", "quire:x"));
}

}  // namespace
}  // namespace quire
