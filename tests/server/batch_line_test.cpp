#include "server/batch/batch_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/json/json_document.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

TEST(BatchLineTest, ARequest) {
  const BatchRequest request = read_batch_line(
      R"({"custom_id": "a\n1", "method": "POST", "url": "/v1/completions",
          "body": {"prompt": "x", "n": 2}})");
  EXPECT_FALSE(request.error);
  EXPECT_EQ(request.custom_id, "a\n1");
  EXPECT_EQ(request.url, "/v1/completions");
  EXPECT_EQ(request.body, R"({"prompt":"x","n":2})");
}

TEST(BatchLineTest, BadLinesSayWhatIsWrong) {
  struct Case {
    std::string line, custom_id, param, message;
  };
  const std::string tail = R"(, "method": "POST", "url": "/v1/completions", "body": {}})";
  const Case cases[] = {
      {"nonsense", "", "", "not valid JSON"},
      {"[]", "", "", "must be a JSON object"},
      {"{}", "", "custom_id", "custom_id is required"},
      {R"({"custom_id": 1)" + tail, "", "custom_id", "must be a string"},
      {R"({"custom_id": "")" + tail, "", "custom_id", "1 to 512 bytes"},
      {R"({"custom_id": ")" + std::string(513, 'a') + '"' + tail, "", "custom_id", "1 to 512 bytes"},
      {R"({"custom_id": "a", "custom_id": "b")" + tail, "", "custom_id", "more than once"},
      {R"({"custom_id": "a", "method": "GET", "url": "/v1/completions", "body": {}})", "a", "method",
       "POST"},
      {R"({"method": "GET", "custom_id": "a", "url": "/v1/completions", "body": {}})", "a", "method",
       "POST"},
      {R"({"custom_id": "a", "url": "/v1/models", "body": {}})", "a", "url", "/v1/embeddings"},
      {R"({"custom_id": "a", "url": 5, "body": {}})", "a", "url", "must be a string"},
      {R"({"custom_id": "a", "body": {}})", "a", "url", "url is required"},
      {R"({"custom_id": "a", "url": "/v1/completions"})", "a", "body", "body is required"},
      {R"({"custom_id": "a", "url": "/v1/completions", "body": "{}"})", "a", "body", "must be an object"},
      {R"({"custom_id": "a", "urll": "/v1/completions", "body": {}})", "a", "urll", "unknown field 'urll'"},
  };
  for (const Case& bad : cases) {
    const BatchRequest request = read_batch_line(bad.line);
    ASSERT_TRUE(request.error) << bad.line;
    EXPECT_EQ(request.custom_id, bad.custom_id) << bad.line;
    EXPECT_EQ(request.error->param, bad.param) << bad.line;
    EXPECT_THAT(request.error->message, HasSubstr(bad.message)) << bad.line;
  }
}

TEST(BatchLineTest, AnswersAreFoundByTheirKeysAgain) {
  const std::string answer = answer_line("0f", "a \"1\"", 200, R"({"id":"x"})");
  EXPECT_EQ(answer,
            "{\"id\":\"batch_req_0f\",\"custom_id\":\"a \\\"1\\\"\",\"response\":{\"status_code\":200,"
            "\"request_id\":\"req_0f\",\"body\":{\"id\":\"x\"}},\"error\":null}\n");
  EXPECT_EQ(read_answer_key(answer).value(), batch_key("a \"1\"", 7));

  const Error error{ErrorCode::kInvalidArgument, "it is wrong", "url"};
  const std::string nameless = failure_line("0f", "", 7, error);
  EXPECT_THAT(nameless, HasSubstr(R"("custom_id":null,"response":null)"));
  EXPECT_THAT(nameless, HasSubstr(R"("message":"line 7: it is wrong","param":"url","line":7)"));
  EXPECT_EQ(read_answer_key(nameless).value(), batch_key("", 7));
  EXPECT_EQ(read_answer_key(failure_line("0f", "b", 7, error)).value(), batch_key("b", 1));
  EXPECT_NE(batch_key("7", 1), batch_key("", 7));
  EXPECT_NE(batch_key("line 7", 1), batch_key("", 7));

  EXPECT_FALSE(read_answer_key(R"({"custom_id": null, "error": null})"));
  EXPECT_FALSE(read_answer_key("{"));
}

}  // namespace
}  // namespace quire
