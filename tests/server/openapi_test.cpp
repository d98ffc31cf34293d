#include "server/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/operations.h"
#include "server/requests/chat_request.h"
#include "server/requests/completion_request.h"
#include "server/requests/embedding_request.h"
#include "server/requests/message_request.h"
#include "server/requests/prefix_request.h"
#include "server/requests/responses_request.h"
#include "server/requests/tokenize_request.h"
#include "server/routes.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

class OpenApi : public testing::Test {
 protected:
  OpenApi() {
    auto parsed = JsonDocument::parse(openapi_document());  // which refuses a name that is there twice
    if (!parsed) throw std::runtime_error(parsed.error().message);
    document_.emplace(std::move(*parsed));
  }
  bool has(std::string_view pointer) const {
    JsonValue value;
    return document_->root().at_pointer(pointer).get(value) == simdjson::SUCCESS;
  }
  std::string text(std::string_view pointer) const {
    JsonValue value;
    if (document_->root().at_pointer(pointer).get(value) != simdjson::SUCCESS) return "absent";
    return simdjson::minify(value);
  }
  std::set<std::string> names(std::string_view pointer) const {
    std::set<std::string> names;
    const JsonObject object = document_->root().at_pointer(pointer).get_object().value();
    for (const auto member : object) names.emplace(member.key);
    return names;
  }

 private:
  std::optional<JsonDocument> document_;
};

TEST_F(OpenApi, DescribesEveryRouteButThePage) {
  std::set<std::pair<std::string_view, HttpMethod>> described;
  for (const auto& operation : operations()) {
    const Route* route = find_route(operation.path);
    ASSERT_TRUE(route) << operation.path;
    EXPECT_TRUE(route->endpoint(operation.method)) << operation.path;
    EXPECT_TRUE(described.insert({route->path, operation.method}).second) << operation.path;
  }
  for (const auto& route : routes()) {
    if (route.path == "/" || route.path == "/page/") continue;
    for (const auto method : {HttpMethod::kGet, HttpMethod::kPost, HttpMethod::kDelete}) {
      EXPECT_EQ(described.contains({route.path, method}), route.endpoint(method) != nullptr) << route.path;
    }
  }
}

template <class Request>
std::set<std::string> fields_of(std::vector<FieldRule> (*rules)(Request&)) {
  Request request;
  std::set<std::string> names;
  for (const auto& rule : rules(request)) {
    EXPECT_TRUE(names.emplace(rule.name).second) << rule.name << " has two rules";
  }
  return names;
}

TEST_F(OpenApi, HasEveryFieldThatIsRead) {
  const auto properties = [this](std::string_view path) {
    return names(
        fmt::format("/paths/{}/post/requestBody/content/application~1json/schema/properties", path));
  };
  EXPECT_EQ(properties("~1v1~1completions"), fields_of(completion_rules));
  EXPECT_EQ(properties("~1v1~1chat~1completions"), fields_of(chat_rules));
  EXPECT_EQ(properties("~1v1~1embeddings"), fields_of(embedding_rules));
  EXPECT_EQ(properties("~1v1~1messages"), fields_of(message_rules));
  EXPECT_EQ(properties("~1v1~1messages~1count_tokens"), fields_of(count_tokens_rules));
  EXPECT_EQ(properties("~1v1~1responses"), fields_of(responses_rules));
  EXPECT_EQ(properties("~1v1~1responses~1input_tokens"), fields_of(responses_rules));
  EXPECT_EQ(properties("~1v1~1prefixes"), fields_of(prefix_rules));
  EXPECT_EQ(properties("~1tokenize"), fields_of(tokenize_rules));
  EXPECT_EQ(properties("~1detokenize"), fields_of(detokenize_rules));
}

TEST_F(OpenApi, SaysWhatAFieldTakes) {
  const std::string schema = "/paths/~1v1~1completions/post/requestBody/content/application~1json/schema";
  EXPECT_EQ(text(schema + "/required"), R"(["prompt"])");
  EXPECT_EQ(text(schema + "/additionalProperties"), R"({"type":"null"})");
  EXPECT_EQ(text(schema + "/properties/top_p"),
            R"({"type":["number","null"],"exclusiveMinimum":0,"maximum":1,"default":1,)"
            R"("description":"keep the most likely tokens that add up to this probability"})");
  EXPECT_EQ(text(schema + "/properties/stream/type"), R"(["boolean","null"])");
  EXPECT_EQ(text(schema + "/properties/stream_options/anyOf/0/properties/include_usage/type"),
            R"(["boolean","null"])");
  EXPECT_EQ(text(schema + "/properties/suffix/enum"), R"([null,""])");
}

TEST_F(OpenApi, SaysWhatItemsAndBlocksTake) {
  const auto field = [&](std::string_view path, std::string_view pointer) {
    return text(fmt::format("/paths/{}/post/requestBody/content/application~1json/schema/properties/{}",
                            path, pointer));
  };
  const std::string item = "input/allOf/0/anyOf/1/items/anyOf/";
  EXPECT_EQ(field("~1v1~1responses", item + "2/properties/type/enum"), R"(["function_call"])");
  EXPECT_EQ(field("~1v1~1responses", item + "2/required"), R"(["type","call_id","name"])");
  EXPECT_EQ(field("~1v1~1responses", "reasoning/anyOf/0/properties/effort/enum/0"), R"("none")");
  const std::string block = "messages/allOf/0/items/properties/content/allOf/0/anyOf/1/items/anyOf/";
  EXPECT_EQ(field("~1v1~1messages", block + "3/properties/type/enum"), R"(["tool_result"])");
  EXPECT_EQ(field("~1v1~1messages", block + "3/required"), R"(["type","tool_use_id"])");
  EXPECT_EQ(field("~1v1~1messages", "tools/anyOf/0/items/required"), R"(["name","input_schema"])");
}

TEST_F(OpenApi, SaysWhatChoicesAndFormatsTake) {
  const auto field = [&](std::string_view path, std::string_view pointer) {
    return text(fmt::format("/paths/{}/post/requestBody/content/application~1json/schema/properties/{}",
                            path, pointer));
  };
  const std::string choice = "tool_choice/anyOf/0/anyOf/";
  for (const std::string_view path : {"~1v1~1chat~1completions", "~1v1~1responses"}) {
    EXPECT_EQ(field(path, choice + "0/enum"), R"(["auto","none","required"])") << path;
  }
  EXPECT_EQ(field("~1v1~1chat~1completions", choice + "1/required"), R"(["function"])");
  EXPECT_EQ(field("~1v1~1chat~1completions", choice + "1/properties/function/allOf/0/required"),
            R"(["name"])");
  const std::string allowed = choice + "2/properties/allowed_tools/allOf/0/";
  EXPECT_EQ(field("~1v1~1chat~1completions", allowed + "required"), R"(["tools"])");
  EXPECT_EQ(field("~1v1~1chat~1completions", allowed + "properties/mode/enum"),
            R"(["auto","required",null])");
  EXPECT_EQ(field("~1v1~1chat~1completions", allowed + "properties/tools/allOf/0/items/required"),
            R"(["function"])");
  EXPECT_EQ(field("~1v1~1responses", choice + "1/required"), R"(["type","name"])");
  EXPECT_EQ(field("~1v1~1responses", choice + "2/required"), R"(["type","tools"])");
  EXPECT_EQ(field("~1v1~1responses", choice + "2/properties/tools/allOf/0/minItems"), "1");
  EXPECT_EQ(field("~1v1~1messages", choice + "0/properties/type/enum"), R"(["auto","none","any"])");
  EXPECT_EQ(field("~1v1~1messages", choice + "0/properties/name/enum"), R"([null,""])");
  EXPECT_EQ(field("~1v1~1messages", choice + "1/required"), R"(["type","name"])");
  const std::string format = "text/anyOf/0/properties/format/anyOf/0/anyOf/";
  EXPECT_EQ(field("~1v1~1responses", format + "0/properties/type/enum"), R"(["text","json_object"])");
  EXPECT_EQ(field("~1v1~1responses", format + "1/required"), R"(["type","schema"])");
  EXPECT_EQ(field("~1v1~1messages", "output_config/anyOf/0/properties/format/anyOf/0/required"),
            R"(["type","schema"])");
}

TEST_F(OpenApi, SaysHowStreamsEnd) {
  const auto end = [&](std::string_view path) {
    return text(
        fmt::format("/paths/{}/post/responses/200/content/text~1event-stream/schema/description", path));
  };
  EXPECT_THAT(end("~1v1~1completions"), HasSubstr("[DONE]"));
  const std::string data =
      "/paths/~1v1~1completions/post/responses/200/content/text~1event-stream/schema/properties/data/"
      "anyOf/";
  EXPECT_EQ(text(data + "0/const"), R"("[DONE]")");
  EXPECT_EQ(text(data + "1/contentSchema/anyOf/1/$ref"), R"("#/components/schemas/Error")");
  EXPECT_THAT(end("~1v1~1messages"), HasSubstr("message_stop or error"));
  EXPECT_THAT(end("~1v1~1responses"), HasSubstr("response.failed"));
}

TEST_F(OpenApi, RefersToWhatIsThere) {
  const std::string_view document = openapi_document();
  constexpr std::string_view kReference = R"("$ref":"#)", kSpaced = R"("$ref": "#)";
  int count = 0;
  for (const auto key : {kReference, kSpaced}) {
    for (size_t at = document.find(key); at != std::string_view::npos; at = document.find(key, at + 1)) {
      const size_t begin = at + key.size();
      const auto pointer = document.substr(begin, document.find('"', begin) - begin);
      EXPECT_TRUE(has(pointer)) << pointer;
      ++count;
    }
  }
  EXPECT_GT(count, 50);
}

}  // namespace
}  // namespace quire
