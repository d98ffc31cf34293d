// Anthropic's /v1/messages. EchoModel answers by repeating the prompt, of which it sees
// "system<|end|><|turn|>userhello<|end|>" and the like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MessageApiTest : public ApiFixture {
 protected:
  Answer message(std::string_view members) const {
    return post("/v1/messages",
                fmt::format(R"({{"messages": [{{"role": "user", "content": "hello"}}], {}}})", members));
  }

  struct Event {
    std::string name;
    Answer data;
  };
  // Of a stream; each event's name is its type, too.
  std::vector<Event> events(std::string_view members) const {
    const std::string text = message(fmt::format(R"("stream": true, {})", members)).body();
    std::vector<Event> events;
    for (size_t at = 0; at < text.size();) {
      const size_t line = text.find('\n', at), end = text.find("\n\n", at);
      EXPECT_EQ(text.substr(at, 7), "event: ");
      EXPECT_EQ(text.substr(line + 1, 6), "data: ");
      events.push_back(
          {text.substr(at + 7, line - at - 7), Answer(200, text.substr(line + 7, end - line - 7))});
      EXPECT_EQ(events.back().data.at("/type"), events.back().name);
      at = end + 2;
    }
    return events;
  }
};

TEST_F(MessageApiTest, AWholeAnswer) {
  const Answer answer = message(R"("max_tokens": 5, "model": "alias", "metadata": {"user_id": "me"})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_THAT(answer.at("/id"), StartsWith("msg_"));
  EXPECT_EQ(answer.at("/type"), "message");
  EXPECT_EQ(answer.at("/role"), "assistant");
  EXPECT_EQ(answer.at("/model"), "alias");
  EXPECT_EQ(answer.at("/content"), R"([{"type":"text","text":"hello"}])");
  EXPECT_EQ(answer.at("/stop_reason"), "max_tokens");
  EXPECT_EQ(answer.at("/stop_sequence"), "null");
  EXPECT_EQ(answer.at("/usage/input_tokens"), "6");
  EXPECT_EQ(answer.at("/usage/output_tokens"), "5");
}

TEST_F(MessageApiTest, WhyItStopped) {
  EXPECT_EQ(message(R"("max_tokens": 20)").at("/stop_reason"), "end_turn");
  const Answer at_text = message(R"("max_tokens": 20, "stop_sequences": ["x", "lo"])");
  EXPECT_EQ(at_text.at("/stop_reason"), "stop_sequence");
  EXPECT_EQ(at_text.at("/stop_sequence"), "lo");
  EXPECT_EQ(at_text.at("/content/0/text"), "hel");
  EXPECT_EQ(message(R"("max_tokens": 20, "stop_sequences": ["h"])").at("/content"), "[]");
}

TEST_F(MessageApiTest, SystemAndBlocksAreTextForTheTemplate) {
  const Answer answer = post("/v1/messages", R"({"max_tokens": 3, "system": [{"type": "text", "text": "ab"},
      {"type": "text", "text": "cd", "cache_control": {"type": "ephemeral"}}],
      "messages": [{"role": "user", "content": [{"type": "text", "text": "x"},
                                               {"type": "text", "text": "y"}]},
                   {"role": "assistant", "content": "z"}, {"role": "user", "content": "w"}]})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/content/0/text"), "ab\n");
  // "ab\ncd" "x\ny" "z" "w", four ends, three turns with the names of their roles.
  EXPECT_EQ(answer.at("/usage/input_tokens"), std::to_string(5 + 3 + 1 + 1 + 4 + 3 + 4 + 9 + 4));
}

// The prompt's tokens as text, which is what such a conversation makes the model see.
TEST_F(MessageApiTest, TheAssistantsLastTextGoesOn) {
  const std::string turns = R"("messages": [{"role": "user", "content": "abcd"},
                                            {"role": "assistant", "content": "xy"}])";
  const Answer answer = post("/v1/messages", fmt::format(R"({{"max_tokens": 2, {}}})", turns));
  ASSERT_EQ(answer.status(), 200) << answer.body();
  // "abcd<|end|><|turn|>assistantxy", and neither an end nor another turn.
  EXPECT_EQ(answer.at("/usage/input_tokens"), std::to_string(5 + 1 + 9 + 2));
  const Answer count = post("/v1/messages/count_tokens", fmt::format("{{{}}}", turns));
  EXPECT_EQ(count.body(), R"({"input_tokens":17})");
}

TEST_F(MessageApiTest, TurnsOfOneRoleAreOne) {
  const auto count = [&](std::string_view messages) {
    return post("/v1/messages/count_tokens", fmt::format(R"({{"messages": {}}})", messages)).body();
  };
  constexpr const char* kEnd = R"({"role": "user", "content": "e"}])";
  EXPECT_EQ(count(fmt::format(R"([{{"role": "user", "content": "a"}}, {{"role": "user", "content": "b"}},
                       {{"role": "assistant", "content": "c"}},
                       {{"role": "assistant", "content": [{{"type": "text", "text": "d"}}]}}, {})",
                              kEnd)),
            count(fmt::format(R"([{{"role": "user", "content": "a\nb"}},
                       {{"role": "assistant", "content": "c\nd"}}, {})",
                              kEnd)));
}

TEST_F(MessageApiTest, FieldsOfAnthropicsClientsAreKnown) {
  for (const char* neutral :
       {R"("thinking": {"type": "disabled"})", R"("thinking": {"type": "adaptive"})",
        R"("cache_control": {"type": "ephemeral"})", R"("inference_geo": "us")", R"("container": null)",
        R"("service_tier": "standard_only")", R"("speed": "standard")", R"("mcp_servers": [])",
        R"("output_config": {"effort": "low"})", R"("cache_salt": "s", "priority": 0)",
        R"("context_management": {"edits": []})", R"("not_known": null)"}) {
    const Answer answer = message(fmt::format(R"("max_tokens": 5, {})", neutral));
    EXPECT_EQ(answer.status(), 200) << answer.body();
    EXPECT_EQ(answer.at("/content/0/text"), "hello") << neutral;
  }
}

TEST_F(MessageApiTest, AStreamOfNamedEvents) {
  const auto stream = events(R"("max_tokens": 20)");
  std::vector<std::string> names;
  std::string text;
  for (const auto& [name, data] : stream) {
    if (names.empty() || names.back() != name) names.push_back(name);
    if (name != "content_block_delta") continue;
    EXPECT_EQ(data.at("/index"), "0");
    EXPECT_EQ(data.at("/delta/type"), "text_delta");
    text += data.at("/delta/text");
  }
  EXPECT_THAT(names, ElementsAre("message_start", "ping", "content_block_start", "content_block_delta",
                                 "content_block_stop", "message_delta", "message_stop"));
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(stream.front().data.at("/message/content"), "[]");
  EXPECT_EQ(stream.front().data.at("/message/stop_reason"), "null");
  EXPECT_EQ(stream[2].data.at("/content_block"), R"({"type":"text","text":""})");
  const Answer& last = stream[stream.size() - 2].data;
  EXPECT_EQ(last.at("/delta/stop_reason"), "end_turn");
  EXPECT_EQ(last.at("/usage/output_tokens"), "6");
}

TEST_F(MessageApiTest, AStreamWithoutText) {
  std::vector<std::string> names;
  for (const auto& event : events(R"("max_tokens": 9, "stop_sequences": ["h"])"))
    names.push_back(event.name);
  EXPECT_THAT(names, ElementsAre("message_start", "ping", "message_delta", "message_stop"));
}

TEST_F(MessageApiTest, AFailureInTheStreamIsAnErrorEvent) {
  model.gate->fail_next_step();
  const auto stream = events(R"("max_tokens": 5)");
  ASSERT_FALSE(stream.empty());
  EXPECT_EQ(stream.back().name, "error");
  EXPECT_EQ(stream.back().data.at("/error/type"), "api_error");
}

// The first message is what the model says; the template shows tools, calls and what they brought.
constexpr const char* kToolsTemplate =
    "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }}"
    "{{ c.function.arguments | tojson }}{{ c.id }}</tool_call>{% endfor %}"
    "{% if m.role == 'tool' %}={{ m.tool_call_id }}{% endif %}<|end|>{% endfor %}"
    "{% if tools %}{{ tools | tojson }}{% endif %}{# <think></think> #}";

class MessageToolsTest : public ApiFixture {
 protected:
  MessageToolsTest() : ApiFixture(with_tools()) {}
  static EchoModelOptions with_tools() {
    EchoModelOptions options;
    options.num_blocks = 128;
    options.max_model_len = 1024;
    options.chat_template = kToolsTemplate;
    return options;
  }
  static std::string body(std::string_view says, std::string_view members) {
    return fmt::format(
        R"({{"max_tokens": 200, "messages": [{{"role": "user", "content": "{}"}}], "tools": [{{"name": "f",
        "description": "D", "input_schema": {{"type": "object", "properties": {{}}}}}}]{}}})",
        says, members);
  }
  static constexpr const char* kSays =
      R"(<think>Hm.</think>Well.<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1}}</tool_call>)";
};

TEST_F(MessageToolsTest, CallsAndThoughtsAreBlocks) {
  const Answer answer = post("/v1/messages", body(kSays, ""));
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/stop_reason"), "tool_use");
  EXPECT_EQ(answer.at("/content/0"), R"({"type":"thinking","thinking":"Hm.","signature":""})");
  EXPECT_EQ(answer.at("/content/1"), R"({"type":"text","text":"Well."})");
  EXPECT_EQ(answer.at("/content/2/type"), "tool_use");
  EXPECT_EQ(answer.at("/content/2/name"), "f");
  EXPECT_EQ(answer.at("/content/2/input"), R"({"x":1})");
  EXPECT_EQ(answer.at("/content/3"), "absent");
  // Without an offer it is text.
  const Answer none = post("/v1/messages", body(kSays, R"(, "tool_choice": {"type": "none"})"));
  EXPECT_EQ(none.at("/stop_reason"), "end_turn");
  EXPECT_THAT(none.at("/content/1/text"), HasSubstr("<tool_call>"));
}

TEST_F(MessageToolsTest, AStreamHasABlockForEach) {
  const Answer answer = post("/v1/messages", body(kSays, R"(, "stream": true)"));
  const std::string& text = answer.body();
  size_t at = 0;
  for (const char* part :
       {R"("content_block":{"type":"thinking","thinking":"","signature":""})", R"("type":"thinking_delta")",
        "content_block_stop", R"("content_block":{"type":"text","text":""})", R"("type":"text_delta")",
        "content_block_stop", R"("type":"tool_use")", R"("input":{})",
        R"("delta":{"type":"input_json_delta","partial_json":"{"})",
        R"("delta":{"type":"input_json_delta","partial_json":"1"})",
        R"("delta":{"type":"input_json_delta","partial_json":"}"})", "content_block_stop",
        R"("stop_reason":"tool_use")", "message_stop"}) {
    at = text.find(part, at);
    ASSERT_NE(at, std::string::npos) << part << " is not, or not there, in " << text;
  }
}

// An input is an object, also where its text is cut off or says what no client reads.
TEST_F(MessageToolsTest, AnInputIsAlwaysAnObject) {
  constexpr const char* kLong =
      R"(<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": \"\\ud83d\", \"y\": [1e400, {\"z\": )";
  const Answer answer = post("/v1/messages", body(kLong, ""));
  EXPECT_EQ(answer.at("/stop_reason"), "end_turn") << "a call that is not whole is not to be used";
  EXPECT_EQ(answer.at("/content/0/input"), "{\"x\":\"\uFFFD\",\"y\":[1.7976931348623157e+308,{}]}");
}

// Text that comes with the end of a call stands after it, in its own block.
TEST_F(MessageToolsTest, TextAfterABrokenCallIsABlock) {
  constexpr const char* kBroken = R"(<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": oops} Sorry.)";
  const std::string text = post("/v1/messages", body(kBroken, R"(, "stream": true)")).body();
  const auto call = text.find(R"("index":0,"content_block":{"type":"tool_use")");
  const auto words = text.find(R"("index":1,"content_block":{"type":"text")");
  ASSERT_NE(call, std::string::npos) << text;
  ASSERT_NE(words, std::string::npos) << text;
  EXPECT_LT(call, words);
  EXPECT_LT(text.rfind("input_json_delta"), words);
}

TEST_F(MessageToolsTest, TextAfterACallIsABlockAfterIt) {
  constexpr const char* kMixed = R"(A.<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call> B.)";
  const Answer answer = post("/v1/messages", body(kMixed, ""));
  EXPECT_EQ(answer.at("/content/0"), R"({"type":"text","text":"A."})");
  EXPECT_EQ(answer.at("/content/1/type"), "tool_use");
  EXPECT_EQ(answer.at("/content/2"), R"({"type":"text","text":"B."})");
  EXPECT_EQ(answer.at("/content/3"), "absent");
}

TEST_F(MessageToolsTest, AConversationHasWhatWasCalledAndWhatCameOfIt) {
  const Answer answer = post("/v1/messages", R"({"max_tokens": 1, "messages": [
      {"role": "user", "content": "a"},
      {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": ""},
          {"type": "text", "text": "b"}, {"type": "tool_use", "id": "i1", "name": "f", "input": {"x": 1}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "i1", "content": "r"},
          {"type": "text", "text": "c"}]}]})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  // a, b<tool_call>f{"x": 1}i1</tool_call>, r=i1, c, and their ends
  EXPECT_EQ(answer.at("/usage/input_tokens"), std::to_string(2 + (1 + 11 + 1 + 8 + 2 + 12 + 1) + 5 + 2));
}

// All of this is one turn of the assistant and one of the user, whose results come first.
TEST_F(MessageToolsTest, CallsAndResultsOfSeveralTurnsAreOfOne) {
  constexpr const char* kCall = R"({"type": "tool_use", "id": "i1", "name": "f", "input": {}})";
  constexpr const char* kResult = R"({"type": "tool_result", "tool_use_id": "i1", "content": "r"})";
  const auto count = [&](std::string_view turns) {
    return post("/v1/messages/count_tokens",
                fmt::format(R"({{"messages": [{{"role": "user", "content": "a"}}, {}]}})", turns));
  };
  const Answer apart = count(fmt::format(
      R"({{"role": "assistant", "content": "b"}}, {{"role": "assistant", "content": [{}]}},
         {{"role": "user", "content": "c"}}, {{"role": "user", "content": [{}]}})",
      kCall, kResult));
  const Answer together =
      count(fmt::format(R"({{"role": "assistant", "content": [{{"type": "text", "text": "b"}}, {}]}},
                     {{"role": "user", "content": [{}, {{"type": "text", "text": "c"}}]}})",
                        kCall, kResult));
  ASSERT_EQ(apart.status(), 200) << apart.body();
  EXPECT_EQ(apart.body(), together.body());
}

class ThinkingTest : public ApiFixture {
 protected:
  ThinkingTest() : ApiFixture(with_thinking()) {}
  static EchoModelOptions with_thinking() {
    EchoModelOptions options;
    options.chat_template =
        "{% for m in messages %}{{ m.content }}{% if m.reasoning_content %}[{{ m.reasoning_content }}]"
        "{% endif %}<|end|>{% endfor %}{{ enable_thinking }}{{ reasoning_effort }}"
        "{# <think></think> #}";
    return options;
  }
  // What the model sees of it, told by its number of tokens.
  std::string count(std::string_view members) const {
    return post("/v1/messages/count_tokens", fmt::format("{{{}}}", members)).body();
  }
};

TEST_F(ThinkingTest, IsTheTemplatesToMakeUseOf) {
  const std::string hello = R"("messages": [{"role": "user", "content": "hello"}])";
  EXPECT_EQ(count(hello), R"({"input_tokens":6})");
  EXPECT_EQ(count(hello + R"(, "thinking": {"type": "enabled", "budget_tokens": 1024})"),
            R"({"input_tokens":10})");  // True
  EXPECT_EQ(count(hello + R"(, "thinking": {"type": "adaptive"})"), R"({"input_tokens":10})");
  EXPECT_EQ(count(hello + R"(, "thinking": {"type": "disabled"})"), R"({"input_tokens":11})");  // False
  EXPECT_EQ(count(hello + R"(, "output_config": {"effort": "max"})"), R"({"input_tokens":9})");
}

TEST_F(ThinkingTest, ThoughtsOfOneTurnAreJoinedAndNeedNoText) {
  const auto thought = [](std::string_view text) {
    return fmt::format(R"({{"type": "thinking", "thinking": "{}", "signature": ""}})", text);
  };
  const auto turns = [&](const std::string& blocks) {
    return fmt::format(R"("messages": [{{"role": "user", "content": "a"}},
        {{"role": "assistant", "content": [{}]}}, {{"role": "user", "content": "b"}}])",
                       blocks);
  };
  // "a<|end|>[x\ny]<|end|>b<|end|>": no "None" stands for the content.
  EXPECT_EQ(count(turns(thought("x") + ", " + thought("y"))), R"({"input_tokens":10})");
  EXPECT_EQ(count(turns("")), R"({"input_tokens":5})");
}

TEST_F(MessageToolsTest, BadToolsAreRefused) {
  const auto with = [](std::string_view members) {
    return fmt::format(R"({{"max_tokens": 1, "messages": [{{"role": "user", "content": "a"}}], {}}})",
                       members);
  };
  const auto turn = [](std::string_view role, std::string_view block) {
    return fmt::format(R"({{"max_tokens": 1, "messages": [{{"role": "{}", "content": [{}]}}]}})", role,
                       block);
  };
  const std::pair<std::string, std::string> cases[] = {
      {with(R"("tools": 5)"), "tools must be an array"},
      {with(R"("tools": [{}])"), "tools[0]: name is required"},
      {with(R"("tools": [{"name": "a b", "input_schema": {}}])"), "name must be 1 to 128"},
      {with(R"("tools": [{"name": "f"}])"), "input_schema"},
      {with(R"("tools": [{"name": "f", "input_schema": []}])"), "input_schema must be an object"},
      {with(R"("tools": [{"name": "f", "input_schema": {}, "type": "bash_20250124"}])"),
       "must be 'custom'"},
      {with(R"("tools": [{"name": "f", "input_schema": {}}, {"name": "f", "input_schema": {}}])"),
       "more than once"},
      {with(R"("tool_choice": {"type": "any"})"), "needs tools"},
      {with(R"("tool_choice": {"type": "tool", "name": "f"})"), "needs tools"},
      {with(R"("tool_choice": {"type": "tool"})"), "needs a name"},
      {with(R"("tool_choice": {"type": "any", "name": "f"})"), "has none else"},
      {with(
           R"("tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "g"})"),
       "none of the tools"},
      {with(R"("tool_choice": {"type": "some"})"), "but is 'some'"},
      {with(R"("tool_choice": "auto")"), "tool_choice must be an object"},
      {turn("user", R"({"type": "tool_use", "id": "a", "name": "f", "input": {}})"),
       "in a message of the user"},
      {turn("assistant", R"({"type": "tool_result", "tool_use_id": "a"})"),
       "in a message of the assistant"},
      {turn("assistant", R"({"type": "tool_use", "name": "f", "input": {}})"), "id is required"},
      {turn("assistant", R"({"type": "tool_use", "id": "", "name": "f", "input": {}})"), "needs its id"},
      {turn("assistant", R"({"type": "tool_use", "id": "a", "input": {}})"), "name is required"},
      {turn("assistant", R"({"type": "tool_use", "id": "a", "name": "a b", "input": {}})"),
       "a tool's name"},
      {turn("assistant", R"({"type": "tool_use", "id": "a", "name": "f"})"), "input is required"},
      {turn("assistant", R"({"type": "tool_use", "id": "a", "name": "f", "input": {}})"),
       "the last message calls tools"},
      {turn("assistant", ""), "has no text that the answer could go on with"},
      {turn("assistant", R"({"type": "thinking", "thinking": "a", "signature": ""})"),
       "has no text that the answer could go on with"},
      {turn("user", ""), "messages[0]: the content of a message of the user must not be empty"},
      {turn("assistant", R"({"type": "tool_use", "id": "a", "name": "f", "input": "x"})"),
       "must be an object"},
      {turn("user", R"({"type": "tool_result", "content": "x"})"),
       "tool_use_id is required in a tool_result block"},
  };
  for (const auto& [body, message] : cases) {
    const Answer answer = post("/v1/messages", body);
    EXPECT_EQ(answer.status(), 400) << body;
    EXPECT_THAT(answer.at("/error/message"), HasSubstr(message)) << body;
  }
}

TEST_F(MessageApiTest, TokensAreCounted) {
  const Answer count =
      post("/v1/messages/count_tokens", R"({"messages": [{"role": "user", "content": "hello"}]})");
  EXPECT_EQ(count.body(), R"({"input_tokens":6})");
  EXPECT_EQ(post("/v1/messages/count_tokens", R"({"messages": [], "max_tokens": 1})").status(), 400);
}

// Anthropic's tool runner asks for a thread of its own accord, and falls back where it reads just this.
TEST_F(MessageApiTest, ThreadsAreRefusedInTheWordThatItsClientKnows) {
  const Answer refused = message(R"("max_tokens": 5, "thread": {"type": "create"})");
  EXPECT_EQ(refused.status(), 400);
  EXPECT_EQ(refused.at("/error/type"), "invalid_request_error");
  EXPECT_EQ(refused.at("/error/details/error_code"), "thread_unsupported_request");
  EXPECT_EQ(message(R"("max_tokens": 5, "thread": null)").status(), 200);
  EXPECT_EQ(message(R"("max_tokens": 0)").at("/error/details"), "absent");
}

TEST_F(MessageApiTest, BadRequestsAreAnsweredInItsWords) {
  struct Case {
    std::string body, message;
  };
  const std::string hello = R"("messages": [{"role": "user", "content": "hello"}])";
  const auto with = [&](std::string_view member) { return fmt::format("{{{}, {}}}", hello, member); };
  const auto of = [](std::string_view messages) {
    return fmt::format(R"({{"max_tokens": 1, "messages": {}}})", messages);
  };
  const Case cases[] = {
      {"{", "not valid JSON"},
      {"{" + hello + "}", "max_tokens is required"},
      {with(R"("max_tokens": 0)"), "max_tokens must be at least 1"},
      {with(R"("max_tokens": "5")"), "max_tokens must be an integer"},
      {with(R"("max_tokens": 256)"), "the context holds 256"},
      {R"({"max_tokens": 1})", "messages is required"},
      {of("[]"), "messages must not be empty"},
      {of("{}"), "messages must be an array"},
      {of(R"([{"content": "a"}])"), "messages[0]: role is required"},
      {of(R"([{"role": "user"}])"), "messages[0]: content is required"},
      {of(R"([{"role": "system", "content": "a"}])"), "the field 'system'"},
      {of(R"([{"role": "user", "content": 5}])"), "string or an array of content blocks"},
      {of(R"([{"role": "user", "content": [5]}])"), "must be an object"},
      {of(R"([{"role": "user", "content": [{"text": "a"}]}])"), "has no type"},
      {of(R"([{"role": "user", "content": [{"type": "text"}]}])"), "text is required in a content block"},
      {of(R"([{"role": "assistant", "content": " "}])"), "has no text that the answer could go on with"},
      {of(R"([{"role": "user", "content": [{"type": "image", "source": {}}]}])"),
       "type 'image' is not supported"},
      {of(R"([{"role": "user", "content": "a", "name": "b"}])"), "unknown field 'name'"},
      {with(R"("max_tokens": 1, "system": 5)"), "system must be a string or an array"},
      {with(R"("max_tokens": 1, "system": [{"type": "image"}])"), "'image' is not supported"},
      {with(R"("max_tokens": 1, "stop_sequences": "a")"), "stop_sequences must be an array"},
      {with(R"("max_tokens": 1, "stop_sequences": [""])"), "1 to 1024 bytes"},
      {with(R"("max_tokens": 1, "stop_sequences": [1])"), "each of stop_sequences must be a string"},
      {with(R"("max_tokens": 1, "temperature": 3)"), "temperature must be"},
      {with(R"("max_tokens": 1, "top_p": 0)"), "top_p must be"},
      {with(R"("max_tokens": 1, "top_k": 1.5)"), "top_k must be an integer"},
      {with(R"("max_tokens": 1, "metadata": "me")"), "metadata must be an object"},
      {with(R"("max_tokens": 1, "service_tier": "fast")"), "service_tier"},
      {with(R"("max_tokens": 1, "n": 2)"), "unknown field 'n'"},
      {with(R"("max_tokens": 1, "thinking": {"type": "enabled", "budget_tokens": 1024})"),
       "this model does not reason"},
      {with(R"("max_tokens": 1, "thinking": {"type": "some"})"), "enabled, disabled, adaptive"},
      {with(R"("max_tokens": 1, "thinking": {"type": "adaptive", "display": "omitted"})"),
       "display is not supported"},
      {with(R"("max_tokens": 1, "container": "c")"), "runs no tools"},
      {with(R"("max_tokens": 1, "output_config": {"effort": "much"})"), "effort must be one of"},
      {with(R"("max_tokens": 1, "output_config": {"format": {"type": "json_schema"}})"),
       "schema is required"},
      {with(R"("max_tokens": 1, "output_config": {"format": {"type": "json_schema",
               "schema": {"not": {}}}})"),
       "'not'"},
      {with(R"("max_tokens": 1, "cache_salt": "")"), "cache_salt must be 1 to 256 bytes"},
      {with(R"("max_tokens": 1, "priority": "high")"), "priority must be an integer"},
  };
  for (const Case& bad : cases) {
    const Answer answer = post("/v1/messages", bad.body);
    EXPECT_EQ(answer.status(), 400) << bad.body;
    EXPECT_EQ(answer.at("/type"), "error") << bad.body;
    EXPECT_EQ(answer.at("/error/type"), "invalid_request_error") << bad.body;
    EXPECT_THAT(answer.at("/error/message"), HasSubstr(bad.message)) << bad.body;
  }
  const Answer unknown = message(R"("max_tokens": 1, "model": "claude")");
  EXPECT_EQ(unknown.status(), 404);
  EXPECT_EQ(unknown.at("/error/type"), "not_found_error");
  EXPECT_EQ(get("/v1/messages").at("/type"), "error");
  EXPECT_EQ(get("/v1/messages").status(), 405);
  EXPECT_EQ(get("/v1/messages/batches").at("/error/type"), "not_found_error");
  EXPECT_EQ(get("/v1/messages/batches").at("/type"), "error");
}

}  // namespace
}  // namespace quire
