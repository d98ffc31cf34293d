#include "server/model_output.h"

#include <gtest/gtest.h>

#include "tests/server/api_fixture.h"
#include "tests/tokenizer/byte_level_spec.h"

namespace quire {
namespace {

ModelOutput described(const std::string& chat_template, const ParserNames& names = {}) {
  TokenizerSpec spec =
      byte_level_spec("gpt-2", {}, {"<|end|>", "[TOOL_CALLS]", "<think>", "</think>", "<tool_call>"});
  spec.eos = 256;
  spec.chat_template = chat_template;
  const auto tokenizer = Tokenizer::create(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return describe_output(**tokenizer, nullptr, names, 0);
}

TEST(ModelOutput, MarksThatAreControlTokensAreKnown) {
  using Ids = std::vector<TokenId>;
  const ModelOutput both = described("[TOOL_CALLS] </think>");
  EXPECT_EQ(both.tool_style, ToolStyle::kMistral);
  EXPECT_EQ(both.call_marks, Ids{257});
  EXPECT_EQ(both.reasoning_marks, (Ids{258, 259}));
  EXPECT_EQ(described("<tool_call>").call_marks, Ids{260});
  EXPECT_EQ(described("<tool_call>").reasoning_marks, Ids{});
  EXPECT_EQ(described("[TOOL_CALLS] </think>", {"none", "none"}).call_marks, Ids{});
  EXPECT_EQ(described("[TOOL_CALLS] </think>", {"none", "none"}).reasoning_marks, Ids{});
}

// The model says what its template begins with, marks as the control tokens that they are.
class ControlMarks : public ApiFixture {
 protected:
  ControlMarks() : ApiFixture(with_marks()) {}
  static EchoModelOptions with_marks() {
    EchoModelOptions options;
    options.control_tokens = {"<think>", "</think>"};
    options.chat_template = "<think>Hm.</think>Yes.<|end|>{{ messages[0].content }}";
    return options;
  }
};

TEST_F(ControlMarks, ReasoningComesApart) {
  const Answer answer =
      post("/v1/chat/completions", R"({"messages": [{"role": "user", "content": "a"}], "max_tokens": 40})");
  ASSERT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/choices/0/message/reasoning_content"), "Hm.");
  EXPECT_EQ(answer.at("/choices/0/message/content"), "Yes.");
  EXPECT_EQ(answer.at("/usage/completion_tokens_details/reasoning_tokens"), "5");
  // In plain completions nobody takes them apart.
  const Answer plain =
      post("/v1/completions", R"({"prompt": "<think>Hm.</think>a<|end|>", "max_tokens": 40})");
  EXPECT_EQ(plain.at("/choices/0/text"), "Hm.a");
}

}  // namespace
}  // namespace quire
