// Tools and reasoning in /v1/chat/completions. The echo model answers with the first message's content, so
// each test writes there what the model is to say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/json/json_writer.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

// In the manner of Qwen's; asks for reasoning if the last message says so.
constexpr const char* kToolTemplate =
    "{% for m in messages %}{% if m.content %}{{ m.content }}{% endif %}{% for c in m.tool_calls %}"
    "<tool_call>{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}}"
    "</tool_call>{% endfor %}{% if m.role == 'tool' %}={{ m.tool_call_id }}{% endif %}<|end|>{% endfor %}"
    "{% if tools %}{{ tools | tojson }}{% endif %}"
    "{% if messages[-1].content == 'think' and add_generation_prompt %}<think>\n{% endif %}{# </think> #}";

constexpr const char* kTools =
    R"("tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": )"
    R"({"name": "g", "description": "D", "parameters": {"type": "object", "properties": {}}}}])";

std::string json_text_of(std::string_view text) {
  std::string out;
  JsonWriter(out).string(text);
  return out;
}

class ToolsApi : public ApiFixture {
 protected:
  ToolsApi() : ApiFixture(options()) {}
  static EchoModelOptions options() {
    EchoModelOptions options;
    options.num_blocks = 128;
    options.max_model_len = 1024;
    options.chat_template = kToolTemplate;
    return options;
  }

  // A chat whose answer is `answer`, with further members of the body.
  static std::string chat(std::string_view answer, std::string_view members, const char* second = "") {
    return fmt::format(R"({{"messages": [{{"role": "user", "content": {}}}{}], {}}})", json_text_of(answer),
                       second, members);
  }
  Answer ask(std::string_view answer, std::string_view members, const char* second = "") const {
    return post("/v1/chat/completions", chat(answer, members, second));
  }
  // What the template makes of a body.
  std::string rendered(std::string_view body) const {
    const Answer tokens = post("/tokenize", body);
    EXPECT_EQ(tokens.status(), 200) << tokens.body();
    return post("/detokenize", fmt::format(R"({{"tokens": {}}})", tokens.at("/tokens"))).at("/prompt");
  }
};

constexpr const char* kTwoCalls =
    "Well.\n<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": 1}}</tool_call>"
    "<tool_call>{\"name\": \"g\"}</tool_call>";

TEST_F(ToolsApi, CallsComeApart) {
  const Answer answer = ask(kTwoCalls, kTools);
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/choices/0/message/content"), "Well.");
  EXPECT_EQ(answer.at("/choices/0/finish_reason"), "tool_calls");
  EXPECT_EQ(answer.at("/choices/0/message/tool_calls/0/type"), "function");
  EXPECT_EQ(answer.at("/choices/0/message/tool_calls/0/function"),
            R"({"name":"f","arguments":"{\"x\": 1}"})");
  EXPECT_EQ(answer.at("/choices/0/message/tool_calls/1/function"), R"({"name":"g","arguments":"{}"})");
  const std::string first = answer.at("/choices/0/message/tool_calls/0/id");
  EXPECT_TRUE(first.starts_with("call_")) << first;
  EXPECT_NE(first, answer.at("/choices/0/message/tool_calls/1/id"));
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "absent");
}

TEST_F(ToolsApi, ATraceSaysWhyAsTheAnswerDoes) {
  const RequestHead head{HttpMethod::kPost, "/v1/chat/completions", {}, "application/json"};
  Api::Reply reply = api.handle(head, chat(kTwoCalls, kTools));
  auto& run = *std::get<std::unique_ptr<AnswerRun>>(reply);
  std::string body;
  while (run.advance(body) == AnswerRun::Progress::kMore) ASSERT_TRUE(model.handle.engine->step());
  EXPECT_EQ(run.trace()->finish_reasons, std::vector<std::string>{"tool_calls"});
}

TEST_F(ToolsApi, ContentIsNullBesideCallsAlone) {
  const Answer answer = ask("<tool_call>{\"name\": \"f\"}</tool_call>", kTools);
  EXPECT_EQ(answer.at("/choices/0/message/content"), "null");
  EXPECT_EQ(answer.at("/choices/0/message/tool_calls/0/function/name"), "f");
}

TEST_F(ToolsApi, AStreamSaysTheSame) {
  std::string content, calls, finish;
  int pieces = 0;
  for (const auto& event :
       stream("/v1/chat/completions", chat(kTwoCalls, std::string(kTools) + R"(, "stream": true)"))) {
    if (event.body() == "[DONE]") continue;
    if (const auto text = event.at("/choices/0/delta/content"); text != "absent") content += text;
    const std::string call = "/choices/0/delta/tool_calls/0";
    if (const auto id = event.at(call + "/id"); id != "absent") {
      EXPECT_TRUE(id.starts_with("call_")) << id;
      EXPECT_EQ(event.at(call + "/type"), "function");
      calls += event.at(call + "/index") + event.at(call + "/function/name");
    } else {
      EXPECT_EQ(event.at(call + "/type"), "absent");
      EXPECT_EQ(event.at(call + "/function/name"), "absent");
    }
    if (const auto arguments = event.at(call + "/function/arguments"); arguments != "absent") {
      calls += arguments;
      ++pieces;
    }
    if (const auto reason = event.at("/choices/0/finish_reason"); reason != "null") finish += reason;
  }
  EXPECT_EQ(content, "Well.");
  EXPECT_EQ(calls, R"(0f{"x": 1}1g{})");
  EXPECT_EQ(pieces, 8 + 1) << "a token is a byte; without arguments a call comes when it is whole";
  EXPECT_EQ(finish, "tool_calls");
}

// What was begun stands, whether or not somebody has seen it.
TEST_F(ToolsApi, ACallThatIsCutOffStands) {
  const std::string begun = R"(<tool_call>{"name": "f", "arguments": {"x": [1, 2)";
  const std::string limit = fmt::format(R"({}, "max_tokens": {})", kTools, begun.size());
  const Answer cut = ask(begun + "3]}}</tool_call>", limit);
  EXPECT_EQ(cut.at("/choices/0/finish_reason"), "length");
  EXPECT_EQ(cut.at("/choices/0/message/content"), "null");
  EXPECT_EQ(cut.at("/choices/0/message/tool_calls/0/function"),
            R"({"name":"f","arguments":"{\"x\": [1, 2"})");
  // Arguments that are no JSON: a call that is never whole is nothing that the answer stopped for.
  const Answer broken = ask(begun + " oops", kTools);
  EXPECT_EQ(broken.at("/choices/0/finish_reason"), "stop");
  EXPECT_EQ(broken.at("/choices/0/message/content"), "oops");
  EXPECT_EQ(broken.at("/choices/0/message/tool_calls/0/function/arguments"), R"({"x": [1, 2 )");
}

// Whatever an answer may have as arguments may be sent back.
TEST_F(ToolsApi, ArgumentsOfAnAnswerMayComeBack) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"x": 1, "x": 2})", R"({"x": 2})"},
      {R"({"x": "\ud83d"})", "{\"x\": \"\uFFFD\"}"},
      {R"({"x": 123456789012345678901234567890})", R"({"x": 1.2345678901234568e+29})"},
      {R"({"x": [1e400]})", R"({"x": [1.7976931348623157e+308]})"},
      {R"({"x": [1, 2], "y": "z)", R"({"x": [1, 2]})"},
  };
  for (const auto& [arguments, shown] : rows) {
    const Answer answer =
        ask(fmt::format(R"(<tool_call>{{"name": "f", "arguments": {}}}</tool_call>)", arguments), kTools);
    const std::string sent = answer.at("/choices/0/message/tool_calls/0/function/arguments");
    EXPECT_TRUE(sent.starts_with(arguments)) << answer.body();
    const std::string call =
        fmt::format(R"({{"function": {{"name": "f", "arguments": {}, "parsed_arguments": null}}}})",
                    json_text_of(sent));  // with the member that OpenAI's client adds
    const std::string message =
        fmt::format(R"({{"role": "assistant", "content": [], "tool_calls": [{}]}})", call);
    EXPECT_EQ(rendered(fmt::format(R"({{"messages": [{}], "add_generation_prompt": false}})", message)),
              fmt::format(R"(<tool_call>{{"name": "f", "arguments": {}}}</tool_call><|end|>)", shown));
  }
}

TEST_F(ToolsApi, WithoutParallelCallsTheFirstEndsTheAnswer) {
  const Answer answer = ask(kTwoCalls, std::string(kTools) + R"(, "parallel_tool_calls": false, "n": 2)");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  for (const char* choice : {"/choices/0", "/choices/1"}) {
    EXPECT_EQ(answer.at(std::string(choice) + "/finish_reason"), "tool_calls");
    EXPECT_EQ(answer.at(std::string(choice) + "/message/tool_calls/0/function/name"), "f");
    EXPECT_EQ(answer.at(std::string(choice) + "/message/tool_calls/1"), "absent");
  }
  const auto first = std::string_view(kTwoCalls).find("}}</tool_call>") + 1;  // its arguments' end
  EXPECT_EQ(answer.at("/usage/completion_tokens"), fmt::format("{}", 2 * first));
}

TEST_F(ToolsApi, WhatIsNoCallIsContent) {
  for (const char* text :
       {"<tool_call>{\"name\": \"h\"}</tool_call>", "<tool_call>{\"name\": \"f\"", "[f()]"}) {
    const Answer answer = ask(text, kTools);
    EXPECT_EQ(answer.at("/choices/0/message/content"), text);
    EXPECT_EQ(answer.at("/choices/0/message/tool_calls"), "absent");
    EXPECT_EQ(answer.at("/choices/0/finish_reason"), "stop");
  }
}

TEST_F(ToolsApi, WithoutToolsTextIsContent) {
  EXPECT_EQ(ask(kTwoCalls, R"("temperature": 0)").at("/choices/0/message/content"), kTwoCalls);
  const std::string none = std::string(kTools) + R"(, "tool_choice": "none")";
  const Answer answer = ask(kTwoCalls, none);
  EXPECT_EQ(answer.at("/choices/0/message/content"), kTwoCalls);
  EXPECT_EQ(answer.at("/usage/prompt_tokens"), ask(kTwoCalls, R"("n": 1)").at("/usage/prompt_tokens"));
}

// With what kTools offers, of which some are allowed.
std::string allowed(std::string_view members) {
  return fmt::format(R"({}, "tool_choice": {{"type": "allowed_tools", "allowed_tools": {{{}}}}})", kTools,
                     members);
}

TEST_F(ToolsApi, OfTheToolsSomeMayBeAllowed) {
  for (const char* mode : {"", R"("mode": "auto", )"}) {
    const Answer answer =
        ask(kTwoCalls,
            allowed(std::string(mode) + R"("tools": [{"type": "function", "function": {"name": "g"}}])"));
    ASSERT_EQ(answer.status(), 200) << answer.body();
    EXPECT_EQ(answer.at("/choices/0/message/tool_calls/0/function/name"), "g");
    EXPECT_EQ(answer.at("/choices/0/message/tool_calls/1"), "absent");
    EXPECT_THAT(answer.at("/choices/0/message/content"), testing::HasSubstr(R"({"name": "f")"));
  }
  // The model sees these alone.
  const std::string one = R"("tools": [{"type": "function", "function": {"name": "f"}}])";
  EXPECT_EQ(ask("a", allowed(one)).at("/usage/prompt_tokens"), ask("a", one).at("/usage/prompt_tokens"));
  // Hints are none of the model's business.
  const std::string hinted = R"("tools": [{"type": "function", "function": {"name": "f"},
      "cache_control": {"type": "ephemeral"}}])";
  EXPECT_EQ(ask("a", hinted).at("/usage/prompt_tokens"), ask("a", one).at("/usage/prompt_tokens"));
}

TEST_F(ToolsApi, ReasoningComesApart) {
  const Answer answer = ask("<think>\nHm.\n</think>\n\nYes.", R"("max_tokens": 100)");
  EXPECT_EQ(answer.at("/choices/0/message/content"), "Yes.");
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "Hm.");
  EXPECT_EQ(answer.at("/usage/completion_tokens_details/reasoning_tokens"), "20");  // a token a byte
}

TEST_F(ToolsApi, ThePromptMayHaveOpenedTheReasoning) {
  constexpr const char* kThink = R"(, {"role": "user", "content": "think"})";
  const Answer answer = ask("Hm.</think>Yes.", R"("max_tokens": 100)", kThink);
  EXPECT_EQ(answer.at("/choices/0/message/content"), "Yes.");
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "Hm.");
  EXPECT_EQ(answer.at("/usage/completion_tokens_details/reasoning_tokens"), "11");
  std::string reasoning, content;
  for (const auto& event :
       stream("/v1/chat/completions", chat("Hm.</think>Yes.", R"("stream": true)", kThink))) {
    if (const auto text = event.at("/choices/0/delta/reasoning_content"); text != "absent")
      reasoning += text;
    if (const auto text = event.at("/choices/0/delta/content"); text != "absent") content += text;
  }
  EXPECT_EQ(reasoning, "Hm.");
  EXPECT_EQ(content, "Yes.");
}

// What an answer must look like begins behind the reasoning, which stays free.
TEST_F(ToolsApi, AGrammarBeginsBehindTheReasoning) {
  constexpr const char* kThink = R"(, {"role": "user", "content": "think"})";
  const std::pair<const char*, const char*> formats[] = {
      {R"("response_format": {"type": "json_object"})", R"({"a": 1})"},
      {R"("guided_regex": "[a-z]+")", "abc"},
      {R"("structured_outputs": {"structural_tag": {"format": {"type": "const_string", "value": "x"}}})",
       "x"},
      {R"("tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f"}}])",
       "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>"},
  };
  for (const auto& [format, text] : formats) {
    const bool calls = std::string_view(format).contains("tool_choice");
    const auto expect = [&](const Answer& answer, const char* reasoning) {
      ASSERT_EQ(answer.status(), 200) << answer.body();
      EXPECT_EQ(answer.at("/choices/0/finish_reason"), calls ? "tool_calls" : "stop") << answer.body();
      EXPECT_EQ(answer.at("/choices/0/message/content"), calls ? "null" : text);
      EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), reasoning);
    };
    expect(ask(std::string("Hm: {.</think>\n\n") + text, format, kThink), "Hm: {.");
    // Of itself it begins with reasoning before a form, not before a call that must come.
    const Answer of_itself = ask(std::string("<think>\nHm: {.</think>") + text, format);
    if (calls) {
      EXPECT_EQ(of_itself.at("/error/code"), "grammar_dead_end");
    } else {
      expect(of_itself, "Hm: {.");
    }
    expect(ask(text, format), "absent");
    // The reasoning must come to an end where it has begun, and come first.
    for (const char* wrong : {text, "Hm.</think>No."}) {
      EXPECT_EQ(ask(wrong, format, kThink).at("/error/code"), "grammar_dead_end") << wrong;
    }
    EXPECT_EQ(ask(std::string("Hm.</think>") + text, format).at("/error/code"), "grammar_dead_end");
  }
}

// Calls or text of the form, behind reasoning in either case.
TEST_F(ToolsApi, CallsComeBesideAForm) {
  const std::string call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>";
  const std::string text = R"({"a": "<tool_call>{}</tool_call>"})";
  const std::string members = std::string(kTools) + R"(, "response_format": {"type": "json_object"})";
  for (const std::string_view thoughts : {"", "<think>Hm: <tool_call>{.</think>\n"}) {
    const char* reasoning = thoughts.empty() ? "absent" : "Hm: <tool_call>{.";
    const Answer called = ask(std::string(thoughts) + call, members);
    ASSERT_EQ(called.status(), 200) << called.body();
    EXPECT_EQ(called.at("/choices/0/finish_reason"), "tool_calls");
    EXPECT_EQ(called.at("/choices/0/message/content"), "null");
    EXPECT_EQ(called.at("/choices/0/message/tool_calls/0/function"),
              R"({"name":"f","arguments":"{\"x\": 1}"})");
    EXPECT_EQ(called.at("/choices/0/message/reasoning_content"), reasoning);
    const Answer said = ask(std::string(thoughts) + text, members);
    EXPECT_EQ(said.at("/choices/0/finish_reason"), "stop") << said.body();
    EXPECT_EQ(said.at("/choices/0/message/content"), text);
    EXPECT_EQ(said.at("/choices/0/message/tool_calls"), "absent");
    EXPECT_EQ(said.at("/choices/0/message/reasoning_content"), reasoning);
  }
  for (const std::string& neither : {std::string("Well."), "Well. " + call, call + text}) {
    EXPECT_EQ(ask(neither, members).at("/error/code"), "grammar_dead_end") << neither;
  }
  const std::string forced = members + R"(, "tool_choice": "required")";
  EXPECT_EQ(ask(call, forced).at("/choices/0/finish_reason"), "tool_calls");
  EXPECT_EQ(ask(text, forced).at("/error/code"), "grammar_dead_end");
}

// In the reasoning before them nothing is held to a schema.
TEST_F(ToolsApi, StrictCallsLeaveTheReasoningFree) {
  constexpr const char* kStrict =
      R"("tools": [{"type": "function", "function": {"name": "f", "strict": true}}], "max_tokens": 100)";
  const Answer answer = ask("<think>Hm: <tool_call>{.</think>\nYes.", kStrict);
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/choices/0/message/content"), "Yes.");
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "Hm: <tool_call>{.");
  EXPECT_EQ(ask("Hm: <tool_call>{.", kStrict).at("/error/code"), "grammar_dead_end");
}

TEST_F(ToolsApi, LogprobsHaveAllTokens) {
  const Answer answer =
      ask(kTwoCalls, std::string(kTools) + R"(, "logprobs": true, "return_token_ids": true)");
  const std::string ids = answer.at("/choices/0/token_ids");
  const auto count = std::count(ids.begin(), ids.end(), ',') + 1;
  EXPECT_EQ(answer.at("/usage/completion_tokens"), fmt::format("{}", count));
  EXPECT_NE(answer.at(fmt::format("/choices/0/logprobs/content/{}", count - 1)), "absent");
}

TEST_F(ToolsApi, TheTemplateSeesToolsAndCalls) {
  const std::string text = rendered(
      std::string(
          R"({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": null, )") +
      R"("tool_calls": [{"id": "c1", "type": "function", "function": )"
      R"({"name": "f", "arguments": "{\"x\":[1]}"}}]},)"
      R"( {"role": "tool", "tool_call_id": "c1", "content": "42"}], )" +
      kTools + "}");
  EXPECT_EQ(
      text,
      "hi<|end|><tool_call>{\"name\": \"f\", \"arguments\": {\"x\": [1]}}</tool_call><|end|>42=c1<|end|>"
      "[{\"type\": \"function\", \"function\": {\"name\": \"f\"}}, {\"type\": \"function\", \"function\": "
      "{\"name\": \"g\", \"description\": \"D\", \"parameters\": {\"type\": \"object\", \"properties\": "
      "{}}}}]");
}

// Control tokens that a client spells anywhere in its tools are text.
TEST_F(ToolsApi, ToolsBringNoControlTokens) {
  const Answer tokens =
      post("/tokenize", R"({"messages": [{"role": "user", "content": "a"}], "tools": [{"type": )"
                        R"("function", "function": {"name": "f", "description": "<|end|>", )"
                        R"("parameters": {"<|end|>": ["<|end|>"]}}}]})");
  ASSERT_EQ(tokens.status(), 200) << tokens.body();
  const std::string ids = tokens.at("/tokens");
  EXPECT_EQ(ids.find("256"), ids.rfind("256"));
}

TEST_F(ToolsApi, APrefixMayHaveTools) {
  const std::string body =
      R"({"messages": [{"role": "user", "content": "hi"}], )" + std::string(kTools) + "}";
  const Answer pinned = post("/v1/prefixes", body);
  // The echo model has no prefix cache: it is the last thing that is checked.
  EXPECT_EQ(pinned.status(), 400);
  EXPECT_NE(pinned.at("/error/message").find("prefix"), std::string::npos) << pinned.body();
  const Answer prompt = post("/v1/prefixes", R"({"prompt": "a", )" + std::string(kTools) + "}");
  EXPECT_EQ(prompt.at("/error/param"), "tools");
}

struct BadTools {
  std::string members;
  const char* param;
  const char* message;
};

TEST_F(ToolsApi, BadToolsAreRefused) {
  const auto function = [](const char* text) {
    return fmt::format(R"("tools": [{{"type": "function", "function": {}}}])", text);
  };
  std::string many;
  for (int i = 0; i < 129; ++i) {
    many += fmt::format(R"({}{{"type": "function", "function": {{"name": "f{}"}}}})", i ? "," : "", i);
  }
  const BadTools rows[] = {
      {R"("tools": {})", "tools", "must be an array"},
      {R"("tools": [1])", "tools", "tools[0]: a tool must be an object, but is an integer"},
      {R"("tools": [{}])", "tools", "tools[0]: a tool needs a type"},
      {R"("tools": [{"type": "function"}])", "tools", "needs a function"},
      {R"("tools": [{"function": {"name": "f"}}])", "tools", "needs a type"},
      {R"("tools": [{"type": "retrieval", "function": {"name": "f"}}])", "tools", "'retrieval'"},
      {function("[]"), "tools", "must be an object"},
      {function("{}"), "tools", "needs a name"},
      {function(R"({"name": 1})"), "tools", "must be a string"},
      {function(R"({"name": ""})"), "tools", "name must be 1 to 128"},
      {function(R"({"name": "a b"})"), "tools", "'a b'"},
      {function(R"({"name": "f", "description": 1})"), "tools", "description must be a string"},
      {function(R"({"name": "f", "parameters": []})"), "tools", "parameters must be an object"},
      {function(R"({"name": "f", "parameters": {"type": "array"}})"), "tools", "type 'object'"},
      {function(R"({"name": "f", "strict": 1})"), "tools", "strict must be true or false"},
      {function(R"({"name": "f", "argumens": {}})"), "tools", "unknown field 'argumens'"},
      {function(fmt::format(R"({{"name": "{}"}})", std::string(129, 'a')).c_str()), "tools", "1 to 128"},
      {R"("tools": [{"type": "function", "function": {"name": "f"}}, )"
       R"({"type": "function", "function": {"name": "f"}}])",
       "tools", "more than once"},
      {fmt::format(R"("tools": [{}])", many), "tools", "at most 128"},
      {R"("tool_choice": 1)", "tool_choice", "must be"},
      {R"("tool_choice": "any")", "tool_choice", "'any'; did you mean \"required\"?"},
      {R"("tools": [{"type": "function", "name": "f"}])", "tools", "stands within function"},
      {fmt::format(R"({}, "tool_choice": {{"type": "function", "name": "f"}})", kTools), "tool_choice",
       "stands within function"},
      {function(R"({"name": "f", "parameters": {"type": ["object", "null"]}})"), "tools", "type 'object'"},
      {R"("tool_choice": "required")", "tool_choice", "needs tools"},
      {R"("tool_choice": {"type": "function", "function": {"name": "f"}})", "tool_choice", "needs tools"},
      {R"("tool_choice": {"type": "function"})", "tool_choice", "needs the function's name"},
      {fmt::format(R"({}, "tool_choice": {{"type": "function", "function": {{"name": "h"}}}})", kTools),
       "tool_choice", "'h', which is none of the tools"},
      {fmt::format(R"({}, "tool_choice": "required", "ignore_eos": true)", kTools), "ignore_eos",
       "tool_choice"},
      {fmt::format(R"({}, "tool_choice": {{"type": "allowed_tools"}})", kTools), "tool_choice",
       "needs the"},
      {allowed(R"("tools": [])"), "tool_choice", "tool_choice: tools must not be empty"},
      {allowed(R"("mode": "none", "tools": [{"function": {"name": "f"}}])"), "tool_choice", "'none'"},
      {allowed(R"("tools": [{"type": "function"}])"), "tool_choice", "needs its name"},
      {allowed(R"("tools": [{"type": "x", "function": {"name": "f"}}])"), "tool_choice", "'x'"},
      {allowed(R"("tools": [{"function": {"name": "h"}}])"), "tool_choice",
       "'h', which is none of the tools"},
      {R"("tool_choice": {"type": "allowed_tools",)"
       R"( "allowed_tools": {"tools": [{"function": {"name": "f"}}]}})",
       "tool_choice", "needs tools"},
      {R"("parallel_tool_calls": "no")", "parallel_tool_calls", "true or false"},
  };
  for (const auto& row : rows) {
    const Answer answer = ask("a", row.members);
    EXPECT_EQ(answer.status(), 400) << row.members;
    EXPECT_EQ(answer.at("/error/param"), row.param) << answer.body();
    EXPECT_NE(answer.at("/error/message").find(row.message), std::string::npos) << answer.body();
  }
}

TEST_F(ToolsApi, BadCallsInMessagesAreRefused) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"role": "assistant"})", "content is required"},
      {R"({"role": "assistant", "content": null, "tool_calls": []})", "content is required"},
      {R"({"role": "user", "content": "a", "tool_calls": [{"function": {"name": "f"}}]})",
       "assistant alone"},
      {R"({"role": "user", "content": "a", "reasoning_content": "b"})", "assistant alone"},
      {R"({"role": "assistant", "tool_calls": {}})", "must be an array"},
      {R"({"role": "assistant", "tool_calls": [1]})", "tool_calls[0]: a call must be an object"},
      {R"({"role": "assistant", "tool_calls": [{}]})", "a call needs a function"},
      {R"({"role": "assistant", "tool_calls": [{"function": {}}]})", "needs a name"},
      {R"({"role": "assistant", "tool_calls": [{"function": {"name": "a b"}}]})", "'a b'"},
      {R"({"role": "assistant", "tool_calls": [{"type": "x", "function": {"name": "f"}}]})", "'x'"},
      {R"({"role": "assistant", "tool_calls": [{"id": 1, "function": {"name": "f"}}]})",
       "id must be a string"},
      {R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]})",
       "arguments must be a string"},
      {R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "x"}}]})",
       "text of a JSON object, but is 'x'"},
      {R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[]"}}]})",
       "text of a JSON object"},
  };
  for (const auto& [message, expected] : rows) {
    const Answer answer = post("/v1/chat/completions", fmt::format(R"({{"messages": [{}]}})", message));
    EXPECT_EQ(answer.status(), 400) << message;
    EXPECT_EQ(answer.at("/error/param"), "messages") << answer.body();
    EXPECT_NE(answer.at("/error/message").find(expected), std::string::npos) << answer.body();
  }
}

// The echo model's own template knows no tools.
class NoToolsApi : public ApiFixture {};

TEST_F(NoToolsApi, TheTemplateMustKnowTools) {
  const std::string tools =
      std::string(R"({"messages": [{"role": "user", "content": "a"}], )") + kTools + "}";
  for (const char* path : {"/v1/chat/completions", "/tokenize", "/v1/prefixes"}) {
    const Answer answer = post(path, tools);
    EXPECT_EQ(answer.status(), 400);
    EXPECT_EQ(answer.at("/error/param"), "tools");
    EXPECT_NE(answer.at("/error/message").find("--chat-template"), std::string::npos);
  }
  const Answer calls = post("/v1/chat/completions", R"({"messages": [{"role": "assistant", "tool_calls": [)"
                                                    R"({"function": {"name": "f"}}]}]})");
  EXPECT_EQ(calls.status(), 400);
  EXPECT_NE(calls.at("/error/message").find("knows no tool_calls"), std::string::npos);
}

}  // namespace
}  // namespace quire
