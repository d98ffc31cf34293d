#include "server/request_work.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "base/log.h"

namespace quire {
namespace {

HttpResponse response_to(FunctionRef<Api::Reply()> act) { return std::get<HttpResponse>(reply_of(act)); }

template <class Exception>
HttpResponse response_to_thrown(Exception exception) {
  return response_to([&]() -> Api::Reply { throw exception; });
}

TEST(ReplyOf, IsWhatIsReturned) {
  const HttpResponse made = response_to([] { return json_response("{}"); });
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.body, "{}");
}

TEST(ReplyOf, LackOfMemoryPasses) {
  for (const auto& response :
       {response_to_thrown(std::bad_alloc()), response_to_thrown(std::length_error("string"))}) {
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.error->code, "unavailable");
    EXPECT_GT(response.error->retry_after_seconds, 0);
  }
}

// Something that will not mend by itself: nobody should try again, and the text is not for clients.
TEST(ReplyOf, AnythingElseIsOurFault) {
  for (const auto& response : {response_to_thrown(std::runtime_error("a secret")),
                               response_to_thrown(std::out_of_range("at")), response_to_thrown(7)}) {
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.error->code, "internal_error");
    EXPECT_EQ(response.error->retry_after_seconds, 0);
    EXPECT_EQ(response.body.find("secret"), std::string::npos);
  }
}

class ThrowingRun final : public AnswerRun {
 public:
  bool stream() const override { return false; }
  void set_notify(std::function<void()>) override {}
  Progress advance(std::string& body) override {
    body = "half an ans";
    throw std::bad_alloc();
  }
  const std::optional<ApiError>& error() const override { return none_; }
  std::string note() const override { return {}; }
  Usage usage() const override { return {}; }

 private:
  const std::optional<ApiError> none_;
};

TEST(AdvanceRun, WhatIsThrownIsItsFailure) {
  ThrowingRun run;
  const RunStep step = advance_run(run);
  EXPECT_FALSE(step.done);
  ASSERT_TRUE(step.failed);
  EXPECT_EQ(step.failed->status, 503);
}

}  // namespace
}  // namespace quire
