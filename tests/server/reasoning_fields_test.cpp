// Under which names chats have the model's reasoning, and whether they have it.
#include <gtest/gtest.h>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

constexpr const char* kThoughtsTemplate =
    "{% for m in messages %}{{ m.content }}{% if m.reasoning_content %}[{{ m.reasoning_content }}]{% endif "
    "%}"
    "<|end|>{% endfor %}{# <think></think> #}";

class ReasoningFields : public ApiFixture {
 protected:
  ReasoningFields() : ApiFixture(options()) {}
  static EchoModelOptions options() {
    EchoModelOptions options;
    options.chat_template = kThoughtsTemplate;
    return options;
  }
  static std::string chat(std::string_view members) {
    return fmt::format(R"({{"messages": [{{"role": "user", "content": "<think>Hm.</think>Yes."}}]{}}})",
                       members);
  }
  Answer ask(std::string_view members) const { return post("/v1/chat/completions", chat(members)); }
};

TEST_F(ReasoningFields, AnswersHaveItUnderBothNames) {
  const Answer answer = ask("");
  EXPECT_EQ(answer.at("/choices/0/message/reasoning"), "Hm.") << answer.body();
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "Hm.");
  std::string reasoning;
  for (const auto& event : stream("/v1/chat/completions", chat(R"(, "stream": true)"))) {
    const std::string text = event.at("/choices/0/delta/reasoning");
    EXPECT_EQ(event.at("/choices/0/delta/reasoning_content"), text);
    if (text != "absent") reasoning += text;
  }
  EXPECT_EQ(reasoning, "Hm.");
}

TEST_F(ReasoningFields, ItMayBeLeftOut) {
  const Answer answer = ask(R"(, "include_reasoning": false)");
  EXPECT_EQ(answer.at("/choices/0/message/reasoning"), "absent") << answer.body();
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "absent");
  EXPECT_EQ(answer.at("/choices/0/message/content"), "Yes.");
  EXPECT_EQ(answer.at("/usage"), ask(R"(, "include_reasoning": true)").at("/usage"));
  std::string content;
  for (const auto& event :
       stream("/v1/chat/completions", chat(R"(, "include_reasoning": false, "stream": true)"))) {
    EXPECT_EQ(event.at("/choices/0/delta/reasoning"), "absent");
    EXPECT_EQ(event.at("/choices/0/delta/reasoning_content"), "absent");
    if (const auto text = event.at("/choices/0/delta/content"); text != "absent") content += text;
  }
  EXPECT_EQ(content, "Yes.");
}

TEST_F(ReasoningFields, MessagesMayHaveItUnderEitherName) {
  const auto rendered = [&](std::string_view role, std::string_view members) {
    return post("/tokenize",
                fmt::format(R"({{"messages": [{{"role": "{}", "content": "a"{}}}]}})", role, members));
  };
  const std::string named = rendered("assistant", R"(, "reasoning": "b")").at("/tokens");
  EXPECT_NE(named, rendered("assistant", "").at("/tokens"));
  EXPECT_EQ(named, rendered("assistant", R"(, "reasoning_content": "b")").at("/tokens"));
  EXPECT_EQ(named, rendered("assistant", R"(, "reasoning": "b", "reasoning_content": "b")").at("/tokens"));
  const Answer refused = rendered("user", R"(, "reasoning": "b")");
  EXPECT_EQ(refused.status(), 400);
  EXPECT_EQ(refused.at("/error/message"), "messages[0]: reasoning goes with the role assistant alone");
}

}  // namespace
}  // namespace quire
