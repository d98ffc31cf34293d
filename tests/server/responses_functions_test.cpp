// OpenAI's /v1/responses with functions and reasoning. EchoModel answers by repeating the prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The first message is what the model says; the template shows tools, calls and what they brought.
constexpr const char* kFunctionsTemplate =
    "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }}"
    "{{ c.function.arguments | tojson }}{{ c.id }}</tool_call>{% endfor %}"
    "{% if m.role == 'tool' %}={{ m.tool_call_id }}{% endif %}<|end|>{% endfor %}"
    "{% if tools %}{{ tools | tojson }}{% endif %}{# <think></think> #}";

class ResponsesFunctionsTest : public ApiFixture {
 protected:
  ResponsesFunctionsTest() : ApiFixture(with_functions()) {}
  static EchoModelOptions with_functions() {
    EchoModelOptions options;
    options.num_blocks = 128;
    options.max_model_len = 1024;
    options.chat_template = kFunctionsTemplate;
    return options;
  }
  static constexpr const char* kSays =
      R"(<think>Hm.</think>Well.<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1}}</tool_call>)";
  Answer call(std::string_view members, const char* says = kSays) const {
    constexpr const char* kFunction =
        R"({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}})";
    return post("/v1/responses",
                fmt::format(R"({{"input": "{}", "tools": [{}]{}}})", says, kFunction, members));
  }
  // The last event of a stream.
  Answer last(std::string_view members, const char* says = kSays) const {
    const std::string text = call(fmt::format(R"({}, "stream": true)", members), says).body();
    const size_t at = text.rfind("data: ") + 6;
    return Answer(200, text.substr(at, text.find('\n', at) - at));
  }
};

TEST_F(ResponsesFunctionsTest, ThoughtsWordsAndCallsAreItems) {
  const Answer answer = call("");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/status"), "completed");
  EXPECT_EQ(answer.at("/output/0/type"), "reasoning");
  EXPECT_EQ(answer.at("/output/0/content"), R"([{"type":"reasoning_text","text":"Hm."}])");
  EXPECT_EQ(answer.at("/output/1/type"), "message");
  EXPECT_EQ(answer.at("/output/1/content/0/text"), "Well.");
  EXPECT_EQ(answer.at("/output/2/type"), "function_call");
  EXPECT_EQ(answer.at("/output/2/name"), "f");
  EXPECT_THAT(answer.at("/output/2/call_id"), StartsWith("call_"));
  EXPECT_THAT(answer.at("/output/2/arguments"), HasSubstr(R"("x": 1)"));
  EXPECT_EQ(answer.at("/output/3"), "absent");
  EXPECT_EQ(answer.at("/tools/0/name"), "f");
  // What came of the call: the stored conversation has the call before it.
  const Answer next =
      post("/v1/responses", fmt::format(R"({{"previous_response_id": "{}", "max_output_tokens": 1, "input":
                               [{{"type": "function_call_output", "call_id": "{}", "output": "r"}}]}})",
                                        answer.at("/id"), answer.at("/output/2/call_id")));
  EXPECT_EQ(next.status(), 200) << next.body();
  EXPECT_EQ(call(R"(, "tool_choice": "none")").at("/output/2"), "absent");
  const Answer allowed = call(R"(, "tool_choice": {"type": "allowed_tools", "mode": "auto",)"
                              R"( "tools": [{"type": "function", "name": "f"}]})");
  EXPECT_EQ(allowed.at("/output/2/name"), "f") << allowed.body();
  for (const char* bad : {R"({"type": "allowed_tools"})", R"({"type": "allowed_tools", "tools": []})",
                          R"({"type": "allowed_tools", "tools": [{"name": "g"}]})",
                          R"({"type": "allowed_tools", "tools": [{"type": "mcp", "name": "f"}]})",
                          R"({"type": "allowed_tools", "mode": "none", "tools": [{"name": "f"}]})"}) {
    const Answer refused = call(fmt::format(R"(, "tool_choice": {})", bad));
    EXPECT_EQ(refused.status(), 400) << bad;
    EXPECT_EQ(refused.at("/error/param"), "tool_choice") << bad;
  }
}

// What it thought before it was cut off is kept, and there is no content that a template could print.
TEST_F(ResponsesFunctionsTest, ThoughtsThatWereCutOffAreGoneOnFrom) {
  const Answer cut = post("/v1/responses", R"({"input": "<think>Hm.", "max_output_tokens": 9})");
  ASSERT_EQ(cut.at("/output/0/type"), "reasoning") << cut.body();
  EXPECT_EQ(cut.at("/output/1"), "absent");
  const Answer next = post("/v1/responses", fmt::format(R"({{"input": "b", "max_output_tokens": 1,
      "previous_response_id": "{}"}})",
                                                        cut.at("/id")));
  EXPECT_EQ(next.at("/usage/input_tokens"), std::to_string(11 + 1 + 2)) << next.body();
  // Items of one turn, as a client sends them back, with members that it has no value for.
  const Answer items = post("/v1/responses", R"({"max_output_tokens": 1, "input": [
      {"role": "user", "content": "a"},
      {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": null, "new_member": null,
       "content": [{"type": "reasoning_text", "text": "t"}]},
      {"role": "user", "content": "b", "phase": null}]})");
  EXPECT_EQ(items.at("/usage/input_tokens"), "5") << items.body();
}

TEST_F(ResponsesFunctionsTest, ItemsAreListedAPageAtATime) {
  const Answer answer = post("/v1/responses", R"({"max_output_tokens": 1, "input": [
      {"role": "user", "content": "a"},
      {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]},
      {"type": "function_call", "call_id": "id", "name": "f", "arguments": "{\"id\": 1}"},
      {"type": "function_call_output", "call_id": "id", "output": "r"},
      {"id": "mine", "role": "user", "content": [{"type": "input_text", "text": "b"}]}]})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  const auto list = [&](const std::string& query) {
    return get("/v1/responses/" + answer.at("/id") + "/input_items", query);
  };
  const Answer all = list("order=asc");
  EXPECT_THAT(all.at("/data/0/id"), StartsWith("msg_"));
  EXPECT_EQ(all.at("/data/0/type"), "message");
  EXPECT_EQ(all.at("/data/0/content/0"), R"({"type":"input_text","text":"a"})");
  EXPECT_THAT(all.at("/data/1/id"), StartsWith("rs_"));
  EXPECT_THAT(all.at("/data/2/id"), StartsWith("fc_"));
  EXPECT_THAT(all.at("/data/3/id"), StartsWith("fco_"));
  EXPECT_EQ(all.at("/data/4/id"), "mine");
  EXPECT_EQ(all.at("/data/5"), "absent");
  EXPECT_EQ(all.at("/first_id"), all.at("/data/0/id"));
  EXPECT_EQ(all.at("/last_id"), "mine");
  EXPECT_EQ(all.at("/has_more"), "false");
  const Answer newest = list("limit=2&include=message.input_image.image_url");
  EXPECT_EQ(newest.at("/data/0/id"), "mine");
  EXPECT_EQ(newest.at("/last_id"), all.at("/data/3/id"));
  EXPECT_EQ(newest.at("/data/2"), "absent");
  EXPECT_EQ(newest.at("/has_more"), "true");
  const Answer rest = list("limit=3&after=" + all.at("/data/3/id"));
  EXPECT_EQ(rest.at("/first_id"), all.at("/data/2/id"));
  EXPECT_EQ(rest.at("/last_id"), all.at("/data/0/id"));
  EXPECT_EQ(rest.at("/has_more"), "false");
  EXPECT_EQ(list("after=" + all.at("/data/0/id")).at("/first_id"), "null");
  for (const auto& [query, param] : {std::pair<std::string, std::string>{"limit=0", "limit"},
                                     {"limit=101", "limit"},
                                     {"limit=1x", "limit"},
                                     {"order=up", "order"},
                                     {"after=none", "after"},
                                     {"before=x", "before"}}) {
    const Answer bad = list(query);
    EXPECT_EQ(bad.status(), 400) << query;
    EXPECT_EQ(bad.at("/error/param"), param) << query;
  }
  EXPECT_EQ(list("limit=%zz").status(), 400);
  EXPECT_EQ(get("/v1/responses/resp_0/input_items").status(), 404);
}

TEST_F(ResponsesFunctionsTest, AStreamTellsOfEachItem) {
  const std::string text = call(R"(, "stream": true)").body();
  size_t at = 0;
  for (const char* part :
       {"response.created", R"("type":"reasoning","status":"in_progress")", "response.reasoning_text.delta",
        "response.reasoning_text.done", "response.output_item.done",
        R"("type":"message","status":"in_progress")", "response.output_text.delta",
        "response.output_text.done", "response.output_item.done",
        R"("type":"function_call","status":"in_progress")", R"("delta":"{")", R"("delta":"\"")",
        R"("delta":"x")", "response.function_call_arguments.done", R"("arguments":"{\"x\": 1}")",
        "response.output_item.done", "response.completed"}) {
    at = text.find(part, at);
    ASSERT_NE(at, std::string::npos) << part << " is not, or not there, in " << text;
  }
}

// A token here is a byte, and a message's are its text, whatever stands before and after it.
TEST_F(ResponsesFunctionsTest, LogprobsAreOfTheMessageAlone) {
  constexpr const char* kInclude = R"(, "include": ["message.output_text.logprobs"])";
  const auto tokens_of = [](const Answer& answer, const std::string& part) {
    std::string tokens;
    for (int i = 0; answer.at(fmt::format("{}/logprobs/{}", part, i)) != "absent"; ++i) {
      tokens += answer.at(fmt::format("{}/logprobs/{}/token", part, i));
    }
    return tokens;
  };
  const std::string part = "/output/1/content/0";
  for (const char* says : {kSays, R"(<think>Hm.</think>\n Well \n)"
                                  R"(<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>\n)"}) {
    const Answer whole = call(kInclude, says), streamed = last(kInclude, says);
    EXPECT_EQ(whole.at(part + "/text"), streamed.at("/response" + part + "/text"));
    EXPECT_EQ(tokens_of(whole, part), whole.at(part + "/text"));
    EXPECT_EQ(whole.at(part + "/logprobs"), streamed.at("/response" + part + "/logprobs"));
  }
  EXPECT_EQ(tokens_of(call(kInclude), part), "Well.");
  // Without a call, what ends the message is its own.
  EXPECT_EQ(tokens_of(call(kInclude, "Well."), "/output/0/content/0"), "Well.<|end|>");
}

// An item's status is what its own last event said.
TEST_F(ResponsesFunctionsTest, AWholeCallIsCompletedInAnAnswerThatIsCutOff) {
  constexpr const char* kTwo =
      R"(<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call> )"
      R"(<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1}}</tool_call> More.)";
  const auto statuses = [&](int max_tokens) {
    const std::string limit = fmt::format(R"(, "max_output_tokens": {})", max_tokens);
    const Answer streamed = last(limit, kTwo), whole = call(limit, kTwo);
    std::string text = streamed.at("/response/status") + ":";
    EXPECT_EQ(streamed.at("/response/status"), whole.at("/status"));
    for (int i = 0; streamed.at(fmt::format("/response/output/{}", i)) != "absent"; ++i) {
      const std::string status = fmt::format("/output/{}/status", i);
      EXPECT_EQ(streamed.at("/response" + status), whole.at(status));
      text += " " + whole.at(status);
    }
    return text;
  };
  EXPECT_EQ(statuses(40), "incomplete: completed");  // the arguments are whole, their mark is not
  EXPECT_EQ(statuses(53), "incomplete: completed");  // between the two
  EXPECT_EQ(statuses(95), "incomplete: completed incomplete");
  EXPECT_EQ(statuses(100), "incomplete: completed completed");
}

// Text stands where it was written, at once as in a stream, and its tokens with it.
TEST_F(ResponsesFunctionsTest, TextBetweenCallsStaysThere) {
  constexpr const char* kMixed =
      R"(A.<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call> B.)"
      R"(<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1}}</tool_call> C.)";
  const auto items_of = [](const Answer& answer, const std::string& output) {
    std::string text;
    for (int i = 0; answer.at(fmt::format("{}/{}", output, i)) != "absent"; ++i) {
      const auto at = [&](const char* member) {
        return answer.at(fmt::format("{}/{}/{}", output, i, member));
      };
      text += fmt::format("{} {}", at("type"), at("status"));
      if (at("type") == "function_call") {
        text += at("arguments");
      } else {
        text += "'" + at("content/0/text") + "'";
        for (int j = 0; at(fmt::format("content/0/logprobs/{}", j).c_str()) != "absent"; ++j) {
          text += at(fmt::format("content/0/logprobs/{}/token", j).c_str());
        }
      }
      text += "\n";
    }
    return text;
  };
  constexpr const char* kInclude = R"(, "include": ["message.output_text.logprobs"])";
  const std::string whole = items_of(call(kInclude, kMixed), "/output");
  EXPECT_EQ(whole,
            "message completed'A.'A.\nfunction_call completed{}\nmessage completed'B.'B.\n"
            "function_call completed{\"x\": 1}\nmessage completed'C.'C.<|end|>\n");
  EXPECT_EQ(items_of(last(kInclude, kMixed), "/response/output"), whole);
  // Cut off in the last text.
  const std::string limit = fmt::format(R"({}, "max_output_tokens": 119)", kInclude);
  const std::string cut = items_of(call(limit, kMixed), "/output");
  EXPECT_THAT(cut, HasSubstr("message incomplete'C'C\n"));
  EXPECT_EQ(items_of(last(limit, kMixed), "/response/output"), cut);
}

// A conversation goes on from a call that was cut off, with as much of its arguments as makes sense.
TEST_F(ResponsesFunctionsTest, ACallThatIsCutOffIsStored) {
  constexpr const char* kCut = R"(<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1, \"y\": )";
  const Answer answer = call("", kCut);
  EXPECT_EQ(answer.at("/status"), "completed");
  EXPECT_EQ(answer.at("/output/0/status"), "incomplete");
  EXPECT_EQ(answer.at("/output/0/arguments"), R"({"x": 1, "y": )");
  const Answer next =
      post("/v1/responses", fmt::format(R"({{"previous_response_id": "{}", "input": [{{"type":
      "function_call_output", "call_id": "{}", "output": "r"}}], "max_output_tokens": 1}})",
                                        answer.at("/id"), answer.at("/output/0/call_id")));
  ASSERT_EQ(next.status(), 200) << next.body();
  // What it said, None<tool_call>f{"x": 1}call_...</tool_call>, r=call_..., and their ends
  const std::string says = R"(<tool_call>{"name": "f", "arguments": {"x": 1, "y": )";
  EXPECT_EQ(next.at("/usage/input_tokens"),
            std::to_string(says.size() + (4 + 11 + 1 + 8 + 29 + 12) + (2 + 29) + 3));
}

}  // namespace
}  // namespace quire
