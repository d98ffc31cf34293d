// OpenAI's /v1/responses. EchoModel answers by repeating the prompt from its start.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/routes.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ResponsesApiTest : public ApiFixture {
 protected:
  explicit ResponsesApiTest(ServerConfig server = {}) : ApiFixture({}, std::move(server)) {}

  Answer respond(std::string_view body) const { return post("/v1/responses", body); }
  Answer remove(const std::string& id) const {
    return call(HttpMethod::kDelete, "/v1/responses/" + id, {});
  }

  std::vector<Answer> events(std::string_view body) const {
    const std::string text = respond(body).body();
    std::vector<Answer> events;
    for (size_t at = 0; at < text.size();) {
      const size_t line = text.find('\n', at), end = text.find("\n\n", at);
      events.emplace_back(200, text.substr(line + 7, end - line - 7));
      EXPECT_EQ(text.substr(at, line - at), "event: " + events.back().at("/type"));
      EXPECT_EQ(events.back().at("/sequence_number"), std::to_string(events.size() - 1));
      at = end + 2;
    }
    return events;
  }
};

TEST_F(ResponsesApiTest, AWholeAnswer) {
  const Answer answer =
      respond(R"({"input": "hello", "model": "alias", "metadata": {"a": "b"}, "temperature": 0.5})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_THAT(answer.at("/id"), StartsWith("resp_"));
  EXPECT_EQ(answer.at("/object"), "response");
  EXPECT_EQ(answer.at("/status"), "completed");
  EXPECT_EQ(answer.at("/model"), "alias");
  EXPECT_EQ(answer.at("/error"), "null");
  EXPECT_EQ(answer.at("/incomplete_details"), "null");
  EXPECT_EQ(answer.at("/metadata"), R"({"a":"b"})");
  EXPECT_EQ(answer.at("/temperature"), "0.5");
  EXPECT_THAT(answer.at("/output/0/id"), StartsWith("msg_"));
  EXPECT_EQ(answer.at("/output/0/type"), "message");
  EXPECT_EQ(answer.at("/output/0/role"), "assistant");
  EXPECT_EQ(answer.at("/output/0/status"), "completed");
  EXPECT_EQ(answer.at("/output/0/content/0/type"), "output_text");
  EXPECT_EQ(answer.at("/output/0/content/0/text"), "hello");
  EXPECT_EQ(answer.at("/output/1"), "absent");
  EXPECT_EQ(answer.at("/usage/input_tokens"), "6");
  EXPECT_EQ(answer.at("/usage/output_tokens"), "6");
  EXPECT_EQ(answer.at("/usage/total_tokens"), "12");
}

TEST_F(ResponsesApiTest, OneThatIsCutOffIsIncomplete) {
  const Answer answer = respond(R"({"input": "hello", "max_output_tokens": 2})");
  EXPECT_EQ(answer.at("/status"), "incomplete");
  EXPECT_EQ(answer.at("/incomplete_details/reason"), "max_output_tokens");
  EXPECT_EQ(answer.at("/output/0/status"), "incomplete");
  EXPECT_EQ(answer.at("/output/0/content/0/text"), "he");
}

TEST_F(ResponsesApiTest, ItemsAreMessages) {
  const Answer answer = respond(R"({"instructions": "be", "max_output_tokens": 3, "input": [
      {"role": "developer", "content": "d"},
      {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"},
                                                      {"type": "input_text", "text": "y"}]},
      {"type": "reasoning", "id": "rs_1", "summary": []},
      {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
       "content": [{"type": "output_text", "text": "z", "annotations": [], "logprobs": []},
                   {"type": "refusal", "refusal": "v"}]},
      {"role": "user", "content": "w"}]})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/instructions"), "be");
  // "be" "d" "x\ny" "z\nv" "w", five ends, four turns with the names of their roles.
  EXPECT_EQ(answer.at("/usage/input_tokens"), std::to_string(2 + 1 + 3 + 3 + 1 + 5 + 4 + 6 + 4 + 9 + 4));
}

TEST_F(ResponsesApiTest, TokensAreCountedAsTheyWouldBeRead) {
  const auto count = [this](std::string_view body) { return post("/v1/responses/input_tokens", body); };
  const std::string begun = R"({"input": "hello", "instructions": "be"})";
  const Answer first = respond(begun);
  const Answer counted = count(begun);
  EXPECT_EQ(counted.at("/object"), "response.input_tokens");
  EXPECT_EQ(counted.at("/input_tokens"), first.at("/usage/input_tokens"));
  const std::string more =
      fmt::format(R"({{"previous_response_id": "{}", "input": "on", "max_output_tokens": 9,
      "tools": [{{"type": "function", "name": "f"}}]}})",
                  first.at("/id"));
  EXPECT_EQ(count(more).at("/input_tokens"), respond(more).at("/usage/input_tokens"));
  EXPECT_EQ(count(R"({"model": "other", "input": "a"})").status(), 404);
  EXPECT_EQ(count(R"({"input": "a", "previous_response_id": "resp_0"})").status(), 404);
  EXPECT_EQ(count("{}").at("/error/param"), "input");
  EXPECT_EQ(count(fmt::format(R"({{"input": "{}"}})", std::string(100'000, 'x'))).at("/error/param"),
            "input");
  EXPECT_EQ(get("/v1/responses/input_tokens").status(), 405);
}

TEST_F(ResponsesApiTest, AStreamTellsOfTheItemFromStartToEnd) {
  const auto stream = events(R"({"input": "hello", "stream": true})");
  std::vector<std::string> types;
  std::string text;
  for (const auto& event : stream) {
    if (types.empty() || types.back() != event.at("/type")) types.push_back(event.at("/type"));
    if (types.back() == "response.output_text.delta") text += event.at("/delta");
  }
  EXPECT_THAT(types, ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                                 "response.content_part.added", "response.output_text.delta",
                                 "response.output_text.done", "response.content_part.done",
                                 "response.output_item.done", "response.completed"));
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(stream[0].at("/response/status"), "in_progress");
  EXPECT_EQ(stream[0].at("/response/output"), "[]");
  EXPECT_EQ(stream[2].at("/item/content"), "[]");
  const Answer& last = stream.back();
  EXPECT_EQ(last.at("/response/output/0/content/0/text"), "hello");
  EXPECT_EQ(last.at("/response/output/0/id"), stream[2].at("/item/id"));
  EXPECT_EQ(get("/v1/responses/" + last.at("/response/id")).body(), last.at("/response"));
  EXPECT_EQ(events(R"({"input": "hello", "stream": true, "max_output_tokens": 1})").back().at("/type"),
            "response.incomplete");
}

TEST_F(ResponsesApiTest, AFailureIsTheLastEvent) {
  model.gate->fail_next_step();
  const auto stream = events(R"({"input": "hello", "stream": true})");
  ASSERT_FALSE(stream.empty());
  EXPECT_EQ(stream.back().at("/type"), "response.failed");
  EXPECT_EQ(stream.back().at("/response/status"), "failed");
  EXPECT_THAT(stream.back().at("/response/error/message"), HasSubstr("engine"));
  EXPECT_EQ(get("/v1/responses/" + stream.back().at("/response/id")).status(), 404);
}

TEST_F(ResponsesApiTest, AConversationGoesOn) {
  const Answer first = respond(R"({"input": "ab", "instructions": "once"})");
  const std::string more =
      fmt::format(R"({{"input": "cd", "previous_response_id": "{}"}})", first.at("/id"));
  const Answer second = respond(more);
  ASSERT_EQ(second.status(), 200) << second.body();
  EXPECT_EQ(second.at("/previous_response_id"), first.at("/id"));
  // The instructions were for the first alone; its answer is the start of
  // "once<|end|><|turn|>userab<|end|>".
  EXPECT_EQ(first.at("/output/0/content/0/text"), "once");
  EXPECT_EQ(second.at("/usage/input_tokens"), std::to_string(2 + 1 + (1 + 9 + 4 + 1) + (1 + 4 + 2 + 1)));
  const Answer third =
      respond(fmt::format(R"({{"input": "e", "previous_response_id": "{}"}})", second.at("/id")));
  EXPECT_EQ(third.status(), 200) << third.body();

  EXPECT_EQ(get("/v1/responses/" + first.at("/id")).body(), first.body());
  const Answer items = get("/v1/responses/" + first.at("/id") + "/input_items");
  EXPECT_EQ(items.at("/data/0/content/0/text"), "ab");
  EXPECT_THAT(items.at("/data/0/id"), StartsWith("msg_"));
  EXPECT_EQ(remove(first.at("/id")).at("/deleted"), "true");
  EXPECT_EQ(get("/v1/responses/" + first.at("/id")).status(), 404);
  const Answer gone = respond(more);
  EXPECT_EQ(gone.status(), 404);
  EXPECT_EQ(gone.at("/error/param"), "previous_response_id");
}

TEST_F(ResponsesApiTest, ItemsThatAreStoredCanBeReferredTo) {
  const Answer first = respond(R"({"input": "ab"})");
  const std::string asked = get("/v1/responses/" + first.at("/id") + "/input_items").at("/data/0/id");
  const auto refer = [&](std::string_view id) {
    return respond(fmt::format(R"({{"max_output_tokens": 1, "input": [{{"role": "user", "content": "x"}},
        {{"type": "item_reference", "id": "{}"}}]}})",
                               id));
  };
  // "x<|end|>", and "<|turn|>" with a role, "ab" and an end.
  EXPECT_EQ(refer(asked).at("/usage/input_tokens"), std::to_string(2 + 1 + 4 + 2 + 1));
  const Answer said = refer(first.at("/output/0/id"));
  EXPECT_EQ(said.at("/usage/input_tokens"), std::to_string(2 + 1 + 9 + 2 + 1)) << said.body();
  EXPECT_EQ(get("/v1/responses/" + said.at("/id") + "/input_items").at("/data/0/content/0/text"), "ab");
  for (const std::string& id : {asked + "0", std::string("msg_"), std::string("msg_x_0"), std::string()}) {
    const Answer none = refer(id);
    EXPECT_EQ(none.status(), 400) << id;
    EXPECT_THAT(none.at("/error/message"), HasSubstr("input[1]: no response that is stored has an item"));
  }
  std::string many;
  for (int i = 0; i < 513; ++i) many += fmt::format(R"({{"type": "item_reference", "id": "{}"}},)", asked);
  many.pop_back();
  const Answer refused = respond(fmt::format(R"({{"input": [{}]}})", many));
  EXPECT_EQ(refused.status(), 400);
  EXPECT_THAT(refused.at("/error/message"), HasSubstr("at most 512 references"));
}

TEST_F(ResponsesApiTest, LogprobsAreThereWhereTheyAreAskedFor) {
  for (const char* members :
       {R"("include": ["message.output_text.logprobs", "reasoning.encrypted_content"])",
        R"("top_logprobs": 2)"}) {
    const Answer answer =
        respond(fmt::format(R"({{"input": "hello", "max_output_tokens": 2, {}}})", members));
    EXPECT_EQ(answer.at("/output/0/content/0/logprobs/1/token"), "e") << answer.body();
    EXPECT_EQ(answer.at("/output/0/content/0/logprobs/2"), "absent");
    const auto stream =
        events(fmt::format(R"({{"input": "hello", "stream": true, "max_output_tokens": 2, {}}})", members));
    std::vector<std::string> tokens;
    for (const auto& event : stream) {
      if (event.at("/type") != "response.output_text.delta") continue;
      for (int i = 0; event.at(fmt::format("/logprobs/{}", i)) != "absent"; ++i)
        tokens.push_back(event.at(fmt::format("/logprobs/{}/token", i)));
    }
    EXPECT_THAT(tokens, ElementsAre("h", "e"));
    EXPECT_EQ(stream.back().at("/response/output/0/content/0/logprobs/1/token"), "e");
  }
  EXPECT_EQ(respond(R"({"input": "hello", "include": []})").at("/output/0/content/0/logprobs"), "[]");
}

// The context holds 256 tokens.
TEST_F(ResponsesApiTest, TheOldestTurnsAreLeftOutIfToldTo) {
  const std::string text(90, 'x');
  const std::string body = fmt::format(
      R"("max_output_tokens": 1, "instructions": "sys", "input": [{{"role": "user", "content": "{0}"}},
         {{"role": "assistant", "content": "{0}"}}, {{"role": "user", "content": "b"}},
         {{"role": "assistant", "content": "c"}}, {{"role": "user", "content": "{0}"}}])",
      text);
  const Answer refused = respond("{" + body + "}");
  EXPECT_EQ(refused.status(), 400);
  EXPECT_EQ(refused.at("/error/code"), "context_length_exceeded");
  EXPECT_EQ(refused.at("/error/param"), "input");
  const Answer answer = respond(R"({"truncation": "auto", )" + body + "}");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/truncation"), "auto");
  // "sys", "b", "c" and the last, with their ends and the names of three roles.
  EXPECT_EQ(answer.at("/usage/input_tokens"), std::to_string(4 + (5 + 2) + (10 + 2) + (5 + 91)));
  // What is kept is whole.
  EXPECT_EQ(
      get("/v1/responses/" + answer.at("/id") + "/input_items", "order=asc").at("/data/0/content/0/text"),
      text);
  const Answer alone =
      respond(fmt::format(R"({{"truncation": "auto", "input": "{}"}})", std::string(300, 'x')));
  EXPECT_EQ(alone.at("/error/code"), "context_length_exceeded");
}

TEST_F(ResponsesApiTest, FieldsOfOpenAisClientsAreKnown) {
  for (const char* neutral :
       {R"("stream_options": {"include_obfuscation": false})", R"("max_tool_calls": 3)",
        R"("prompt": null)", R"("conversation": null)", R"("prompt_cache_retention": "24h")",
        R"("service_tier": "flex")", R"("text": {"verbosity": "low"})",
        R"("reasoning": {"effort": "low", "summary": "auto"})", R"("cache_salt": "s", "priority": 0)",
        R"("context_management": [])", R"("not_known": null)", R"("client_metadata": {"a": "b"})"}) {
    const Answer answer = respond(fmt::format(R"({{"input": "hello", {}}})", neutral));
    EXPECT_EQ(answer.at("/output/0/content/0/text"), "hello") << answer.body();
  }
}

TEST_F(ResponsesApiTest, AStoredAnswerIsNotStreamedAgain) {
  const Answer answer = respond(R"({"input": "hello"})");
  const std::string path = "/v1/responses/" + answer.at("/id");
  EXPECT_EQ(get(path, "include[]=x&stream=false").status(), 200);
  for (const char* query : {"stream=true", "a=b&starting_after=3"}) {
    EXPECT_EQ(get(path, query).status(), 400) << query;
    EXPECT_EQ(get(path, query).at("/error/param"), "stream");
  }
  EXPECT_EQ(find_route(path + "/more"), nullptr);
  EXPECT_NE(find_route(path + "/input_items"), nullptr);
  EXPECT_NE(find_route("/v1/models/somebody/model"), nullptr);
}

TEST_F(ResponsesApiTest, WhatIsNotToBeStoredIsNot) {
  const Answer answer = respond(R"({"input": "ab", "store": false})");
  EXPECT_EQ(answer.at("/store"), "false");
  EXPECT_EQ(get("/v1/responses/" + answer.at("/id")).status(), 404);
  EXPECT_EQ(get("/v1/responses/").status(), 404);
  EXPECT_EQ(get("/v1/responses/" + answer.at("/id") + "/input_items").status(), 404);
  EXPECT_EQ(remove("resp_1").status(), 404);
}

class NoStoreTest : public ResponsesApiTest {
 protected:
  NoStoreTest() : ResponsesApiTest(without_store()) {}
  static ServerConfig without_store() {
    ServerConfig config;
    config.response_store = 0;
    return config;
  }
};

TEST_F(NoStoreTest, MakesNothingInTheBackground) {
  const Answer refused = respond(R"({"input": "ab", "background": true})");
  EXPECT_EQ(refused.status(), 400);
  EXPECT_EQ(refused.at("/error/param"), "background");
}

TEST_F(NoStoreTest, SaysThatItKeepsNothing) {
  EXPECT_EQ(respond(R"({"input": "ab"})").at("/store"), "false");
}

class SmallStoreTest : public ResponsesApiTest {
 protected:
  SmallStoreTest() : ResponsesApiTest(with_little_room()) {}
  static ServerConfig with_little_room() {
    ServerConfig config;
    config.response_store = 1;
    return config;
  }
};

TEST_F(SmallStoreTest, SaysWhatItHasNoRoomFor) {
  const Answer answer = respond(R"({"input": "ab"})");
  EXPECT_EQ(answer.at("/store"), "false");
  EXPECT_EQ(get("/v1/responses/" + answer.at("/id")).status(), 404);
  EXPECT_EQ(events(R"({"input": "ab", "stream": true})").back().at("/response/store"), "false");
}

TEST_F(SmallStoreTest, TakesNothingIntoTheBackgroundThatItHasNoRoomFor) {
  const Answer refused = respond(R"({"input": "ab", "background": true})");
  EXPECT_EQ(refused.status(), 400);
  EXPECT_THAT(refused.at("/error/message"), HasSubstr("too much room"));
}

// Room for two, and so for one that is being made.
class RoomForTwoTest : public ResponsesApiTest {
 protected:
  RoomForTwoTest() : ResponsesApiTest(with_room()) {}
  static ServerConfig with_room() {
    ServerConfig config;
    config.response_store = 4000;
    return config;
  }
};

TEST_F(RoomForTwoTest, OneThatIsMadeStaysWhileOthersComeAndGo) {
  const std::string of_many_steps =
      fmt::format(R"({{"input": "{}", "background": true}})", std::string(100, 'x'));
  const Answer queued = respond(of_many_steps);
  ASSERT_EQ(queued.at("/status"), "queued") << queued.body();
  const Answer beside = respond(of_many_steps);
  EXPECT_EQ(beside.status(), 429) << beside.body();
  EXPECT_EQ(beside.at("/error/code"), "too_many_background_responses");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(respond(R"({"input": "ab"})").status(), 200);
  EXPECT_EQ(get("/v1/responses/" + queued.at("/id")).status(), 200);
}

TEST_F(ResponsesApiTest, BadRequestsNameTheField) {
  struct Case {
    std::string body, param, message;
  };
  const auto with = [](std::string_view member) { return fmt::format(R"({{"input": "a", {}}})", member); };
  const auto of = [](std::string_view items) { return fmt::format(R"({{"input": {}}})", items); };
  const Case cases[] = {
      {"{}", "input", "input is required"},
      {of("5"), "input", "a string or an array of items"},
      {of("[]"), "input", "no message"},
      {of("[5]"), "input", "input[0]"},
      {of(R"([{"role": "user"}])"), "input", "input[0]: content is required"},
      {of(R"([{"content": "a"}])"), "input", "input[0]: role is required"},
      {of(R"([{"role": "tool", "content": "a"}])"), "input", "role must be"},
      {of(R"([{"role": "user", "content": 1}])"), "input", "string or an array of parts"},
      {of(R"([{"role": "user", "content": [{"type": "input_image"}]}])"), "input", "but is 'input_image'"},
      {of(R"([{"role": "user", "content": [{"type": "input_text"}]}])"), "input", "text is required"},
      {of(R"([{"role": "user", "content": "a", "nonsense": 1}])"), "input", "unknown field 'nonsense'"},
      {of(R"([{"role": "user", "content": []}])"), "input", "input[0]: content must not be empty"},
      {of(R"([{"type": "item_reference", "id": "x"}])"), "input", "has an item 'x'"},
      {of(R"([{"type": "item_reference"}])"), "input", "id is required in an item_reference"},
      {of(R"([{"type": "computer_call"}])"), "input", "but is 'computer_call'"},
      {with(R"("max_output_tokens": 0)"), "max_output_tokens", "at least 1"},
      {with(R"("temperature": 2.5)"), "temperature", "temperature must be"},
      {with(R"("top_p": 0)"), "top_p", "top_p must be"},
      {with(R"("metadata": [])"), "metadata", "must be an object"},
      {with(R"("metadata": {"a": 1})"), "metadata", "must be a string"},
      {with(R"("text": {"format": {"type": "json"}})"), "text", "but is 'json'"},
      {with(R"("text": {"format": {"type": "json_schema", "name": "n"}})"), "text", "is required in text"},
      {with(R"("text": {"format": {"type": "json_schema", "schema": {"not": {}}}})"), "text", "'not'"},
      {with(R"("text": 5)"), "text", "must be an object"},
      {with(R"("reasoning": {"effort": 1})"), "effort", "must be a string"},
      {with(R"("reasoning": {"effort": "much"})"), "effort", "must be one of none, minimal"},
      {with(R"("reasoning": {"summary": "long"})"), "summary", "must be one of auto"},
      {with(R"("text": {"verbosity": "much"})"), "verbosity", "must be one of low"},
      {with(R"("service_tier": "best")"), "service_tier", "must be one of auto"},
      {with(R"("top_logprobs": 21)"), "top_logprobs", "at most 20"},
      {with(R"("stream_options": {"include_usage": true})"), "include_usage", "unknown field"},
      {with(R"("max_tool_calls": 0)"), "max_tool_calls", "at least 1"},
      {with(R"("prompt": {"id": "p"})"), "prompt", "not supported"},
      {with(R"("conversation": "c")"), "conversation", "previous_response_id"},
      {with(R"("prompt_cache_retention": "1h")"), "prompt_cache_retention", "in_memory"},
      {with(R"("cache_salt": "")"), "cache_salt", "1 to 256 bytes"},
      {with(R"("background": 1)"), "background", "true or false"},
      {with(R"("background": true, "store": false)"), "background", "needs store"},
      {with(R"("background": true, "stream": true)"), "background", "without stream"},
      {with(R"("background_options": {})"), "background_options", "not supported"},
      {with(R"("truncation": "some")"), "truncation", "must be one of auto, disabled"},
      {with(R"("include": ["x"])"), "include", "each of include must be one of"},
      {with(R"("include": [1])"), "include", "must be a string"},
      {with(R"("include": "message.output_text.logprobs")"), "include", "must be an array"},
      {with(R"("tools": [{}])"), "tools", "tools[0]: type must be 'function'"},
      {with(R"("tools": [{"type": "web_search"}])"), "tools", "but is 'web_search'"},
      {with(R"("tools": [{"type": "function"}])"), "tools", "name is required"},
      {with(R"("tools": [{"type": "function", "function": {"name": "f"}}])"), "tools", "stand beside type"},
      {with(R"("tools": [{"type": "function", "name": "a b"}])"), "tools", "name must be 1 to 128"},
      {with(R"("tools": [{"type": "function", "name": "f", "strict": 1}])"), "tools", "true or false"},
      {with(R"("tools": [{"type": "function", "name": "f", "parameters": {"type": "array"}}])"), "tools",
       "type 'object'"},
      {with(R"("tools": [{"type": "function", "name": "f"}, {"type": "function", "name": "f"}])"), "tools",
       "more than once"},
      {with(R"("tool_choice": "required")"), "tool_choice", "needs tools"},
      {with(R"("tool_choice": {"type": "function", "name": "f"})"), "tool_choice", "needs tools"},
      {with(R"("tool_choice": {"type": "function"})"), "tool_choice", "needs the function's name"},
      {with(R"("tool_choice": {"type": "web_search"})"), "tool_choice", "but is 'web_search'"},
      {of(R"([{"type": "function_call", "name": "f", "arguments": "{}"}])"), "input",
       "call_id is required in a function_call"},
      {of(R"([{"type": "function_call", "call_id": "", "name": "f"}])"), "input", "needs its call_id"},
      {of(R"([{"type": "function_call", "call_id": "c", "arguments": "{}"}])"), "input",
       "name is required"},
      {of(R"([{"type": "function_call", "call_id": "c", "name": "a b"}])"), "input", "a function's name"},
      {of(R"([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "x"}])"), "input",
       "the text of a JSON object"},
      {of(R"([{"type": "function_call_output", "output": "x"}])"), "input", "call_id is required"},
      {of(R"([{"type": "function_call_output", "call_id": "c"}])"), "input", "output is required"},
      {with(R"("store": "yes")"), "store", "true or false"},
      {with(R"("n": 2)"), "n", "unknown field"},
  };
  for (const Case& bad : cases) {
    const Answer answer = respond(bad.body);
    EXPECT_EQ(answer.status(), 400) << bad.body;
    EXPECT_EQ(answer.at("/error/param"), bad.param) << bad.body;
    EXPECT_THAT(answer.at("/error/message"), HasSubstr(bad.message)) << bad.body;
  }
  EXPECT_EQ(respond(R"({"input": "a", "previous_response_id": "resp_0"})").status(), 404);
}

}  // namespace
}  // namespace quire
