#include "server/engine_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "tests/server/api_fixture.h"
#include "tests/server/live_server_fixture.h"

namespace quire {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class EngineEventsTest : public ApiFixture {
 protected:
  std::unique_ptr<AnswerRun> open() const {
    const RequestHead head{HttpMethod::kGet, "/v1/engine/events", {}, {}};
    Api::Reply reply = api.handle(head, {});
    auto* run = std::get_if<std::unique_ptr<AnswerRun>>(&reply);
    return run ? std::move(*run) : nullptr;
  }

  // The next view; the engine is stepped by hand.
  Answer next(AnswerRun& run) const {
    std::string out;
    for (int i = 0; i < 1000 && out.empty(); ++i) {
      EXPECT_EQ(run.advance(out), AnswerRun::Progress::kMore);
      model.handle.engine->step();
    }
    EXPECT_THAT(out, StartsWith("data: {"));
    return {200, out.empty() ? out : events_of(out).at(0)};
  }
};

TEST_F(EngineEventsTest, AViewSaysHowTheEngineIs) {
  const auto run = open();
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->stream());
  const Answer view = next(*run);
  EXPECT_EQ(view.at("/object"), "engine.view");
  EXPECT_EQ(view.at("/model"), "echo");
  EXPECT_EQ(view.at("/blocks/total"), "64");
  EXPECT_EQ(view.at("/blocks/used"), "0");
  EXPECT_EQ(view.at("/swap/total"), "0");
  EXPECT_EQ(view.at("/swap/held"), "");
  EXPECT_EQ(view.at("/swap/tables"), "[]");
  EXPECT_EQ(view.at("/requests/running"), "0");
  EXPECT_EQ(view.at("/limits/max_num_seqs"), "8");
  EXPECT_EQ(run->note(), "1 views");
}

TEST_F(EngineEventsTest, ShowsARequestThatRuns) {
  const auto stream = model.handle.engine->submit({1, 2, 3, 4, 5}, SamplingParams{.max_tokens = 60});
  ASSERT_TRUE(stream);
  for (int i = 0; i < 20; ++i) model.handle.engine->step();
  const auto run = open();
  const Answer view = next(*run);
  EXPECT_EQ(view.at("/requests/running"), "1");
  EXPECT_EQ(view.at("/blocks/used"), "2");
  EXPECT_EQ(view.at("/blocks/held"), "BB");
  EXPECT_EQ(view.at("/blocks/holders"), "BB");
  EXPECT_EQ(view.at("/blocks/kept"), "AA");
  EXPECT_EQ(view.at("/sequences/0/state"), "decode");
  EXPECT_EQ(view.at("/sequences/0/prompt_tokens"), "5");
  EXPECT_EQ(view.at("/sequences/0/output_tokens"), "20");
  EXPECT_EQ(view.at("/sequences/0/blocks"), "[0,1]");
  EXPECT_EQ(view.at("/steps"), "[]") << "nobody looked before";
}

TEST_F(EngineEventsTest, WhileNothingChangesNobodyIsAsked) {
  ManualClock clock;
  const ServedModel timed(model.handle, {"echo"}, clock);
  std::atomic<int32_t> num_viewers{0};
  const auto run = EngineEvents::start(timed, 1, num_viewers);
  ASSERT_TRUE(run);
  const auto views_in = [&](int seconds) {
    int views = 0;
    for (int hundredth = 0; hundredth < 100 * seconds; ++hundredth) {
      std::string out;
      (*run)->advance(out);
      model.handle.engine->step();
      if (!out.empty()) ++views;
      clock.advance_ns(10'000'000);
    }
    return views;
  };
  EXPECT_EQ(views_in(2), 10);
  EXPECT_LE(views_in(20), 5) << "signs of life";
  ASSERT_TRUE(model.handle.engine->submit({1, 2}, SamplingParams{.max_tokens = 1}));
  EXPECT_GE(views_in(2), 8);
  EXPECT_LE(views_in(20), 6);
}

TEST_F(EngineEventsTest, EndsWithTheServer) {
  const auto run = open();
  next(*run);
  run->finish();
  std::string out;
  EXPECT_EQ(run->advance(out), AnswerRun::Progress::kDone);
  EXPECT_EQ(out, "data: [DONE]\n\n");
}

TEST_F(EngineEventsTest, ViewersAreCounted) {
  std::vector<std::unique_ptr<AnswerRun>> open_runs;
  for (int32_t i = 0; i < config.max_engine_viewers; ++i) {
    open_runs.push_back(open());
    ASSERT_TRUE(open_runs.back());
  }
  const Answer refused = get("/v1/engine/events");
  EXPECT_EQ(refused.status(), 429);
  EXPECT_EQ(refused.at("/error/code"), "too_many_viewers");
  open_runs.pop_back();
  EXPECT_TRUE(open());
}

TEST_F(EngineEventsTest, CanBeTurnedOff) {
  ServerConfig off;
  off.max_engine_viewers = 0;
  Api blind(off, model.clock, model.metrics);
  blind.serve(served);
  const auto reply = blind.handle({HttpMethod::kGet, "/v1/engine/events", {}, {}}, {});
  EXPECT_EQ(std::get<HttpResponse>(reply).status, 404);
}

class LiveEngineEvents : public LiveServer {};

TEST_F(LiveEngineEvents, FollowARequest) {
  start();
  TestClient viewer(server->port()), client(server->port());
  viewer.send(get_request("/v1/engine/events"));
  EXPECT_TRUE(viewer.read_until("text/event-stream"));
  EXPECT_TRUE(viewer.read_until("\"running\":0"));
  model->gate->close();
  client.send(post_request("/v1/completions", R"({"prompt": "abc", "max_tokens": 200})"));
  {
    // A view is taken between two steps, when its time has come: they are let pass until it is seen.
    std::mutex mutex;
    std::condition_variable_any never;
    const std::jthread steps([&](const std::stop_token& stop) {
      std::unique_lock lock(mutex);
      while (!stop.stop_requested()) {
        model->gate->let_pass(1);
        never.wait_for(lock, stop, std::chrono::milliseconds(50), [] { return false; });
      }
    });
    EXPECT_TRUE(viewer.read_until("\"running\":1"));
  }
  model->gate->open();
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_TRUE(viewer.read_until("\"running\":0"));
}

TEST_F(LiveEngineEvents, EndWhenTheServerDoes) {
  start();
  TestClient viewer(server->port());
  viewer.send(get_request("/v1/engine/events"));
  EXPECT_TRUE(viewer.read_until("\"object\":\"engine.view\""));
  stop();
  EXPECT_TRUE(viewer.read_until("data: [DONE]"));
  wait_until_stopped();
}

TEST_F(LiveEngineEvents, AViewerThatLeavesMakesRoom) {
  config.max_engine_viewers = 1;
  start();
  TestClient viewer(server->port()), second(server->port());
  viewer.send(get_request("/v1/engine/events"));
  EXPECT_TRUE(viewer.read_until("\"object\":\"engine.view\""));
  EXPECT_EQ(second.get("/v1/engine/events").status, 429);
  viewer.reset();
  int status = 429;
  while (status == 429) {  // until the server has noticed
    TestClient third(server->port());
    third.send(get_request("/v1/engine/events"));
    status = third.read_response(true).status;
  }
  EXPECT_EQ(status, 200);
}

TEST_F(LiveEngineEvents, HeadSaysWhatItWouldBe) {
  start();
  TestClient client(server->port());
  client.send("HEAD /v1/engine/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto response = client.read_response(true);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(client.get("/live").status, 200);
}

}  // namespace
}  // namespace quire
