// Whole renderings: against Python's jinja2 (jinja_golden.jsonl, made by make_jinja_golden.py), and the
// default model's own template against the reference's chats.
#include "chat/chat_template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/chat/json_fixture.h"

namespace quire {
namespace {

using test::as_user_text;
using test::read_json;
using test::read_lines;

constexpr int64_t kNow = 1721822827;  // 2024-07-24 12:07:07 UTC, as in make_jinja_golden.py

std::string joined(const std::vector<RenderedPart>& parts) {
  std::string text;
  for (const RenderedPart& part : parts) text += part.text;
  return text;
}

Expected<std::vector<RenderedPart>> render(std::string_view source, const Value& context) {
  const auto chat_template = ChatTemplate::parse(source);
  if (!chat_template) return std::unexpected(chat_template.error());
  return chat_template->render(context, kNow);
}

class JinjaGolden : public testing::Test {
 protected:
  // Calls check(template, context, line) for each pair of the golden file.
  template <class Check>
  static void for_each_pair(Check&& check) {
    const auto lines = read_lines(QUIRE_SOURCE_DIR "/tests/chat/jinja_golden.jsonl");
    ASSERT_GT(lines.size(), 1500u);
    const Value shared = read_json(lines[0]);
    const auto templates = shared.find("templates")->items(), contexts = shared.find("contexts")->items();
    for (size_t i = 1; i < lines.size(); ++i) {
      const Value line = read_json(lines[i]);
      const Value& source = *line.find("template");
      const Value& text =
          source.is_integer() ? templates[static_cast<size_t>(source.as_integer())] : source;
      check(text.as_bytes(), contexts[static_cast<size_t>(line.find("context")->as_integer())], line);
    }
  }
};

TEST_F(JinjaGolden, RendersWhatJinja2Renders) {
  for_each_pair([](const std::string& source, const Value& context, const Value& line) {
    const auto parts = render(source, context);
    if (const Value* rendered = line.find("rendered")) {
      ASSERT_TRUE(parts) << source << "\n" << parts.error().message;
      EXPECT_EQ(joined(*parts), rendered->as_bytes()) << source;
    } else {
      EXPECT_FALSE(parts) << source << "\ngave " << joined(*parts)
                          << "\njinja2: " << line.find("error")->as_bytes();
    }
  });
}

// What a user wrote prints the same, whoever is said to have written it.
TEST_F(JinjaGolden, MarksDoNotChangeTheText) {
  for_each_pair([](const std::string& source, const Value& context, const Value& line) {
    const Value* rendered = line.find("rendered");
    if (rendered == nullptr) return;
    const auto parts = render(source, as_user_text(context));
    ASSERT_TRUE(parts) << source << "\n" << parts.error().message;
    EXPECT_EQ(joined(*parts), rendered->as_bytes()) << source;
    for (size_t i = 0; i < parts->size(); ++i) {
      EXPECT_FALSE((*parts)[i].text.empty());
      if (i > 0) {
        EXPECT_NE((*parts)[i].from_user, (*parts)[i - 1].from_user) << "parts of one kind are joined";
      }
    }
  });
}

// The value of tokenizer.chat_template in a GGUF file: its key, the type of a string (8), a length, the
// bytes.
std::string default_model_template() {
  const std::string head =
      test::read_file(QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf", size_t{8} << 20);
  constexpr std::string_view kKey = "tokenizer.chat_template";
  const size_t key = head.find(kKey);
  if (key == std::string::npos) {
    ADD_FAILURE() << "the default model has no chat template";
    return {};
  }
  const size_t length_at = key + kKey.size() + sizeof(uint32_t);
  uint64_t length = 0;
  std::memcpy(&length, head.data() + length_at, sizeof length);
  return head.substr(length_at + sizeof length, length);
}

TEST(DefaultModel, RendersTheReferenceChats) {
  const auto chat_template = ChatTemplate::parse(default_model_template());
  ASSERT_TRUE(chat_template) << chat_template.error().message;
  const auto lines = read_lines(QUIRE_SOURCE_DIR "/../shared/golden/chat.jsonl");
  ASSERT_EQ(lines.size(), 6u);
  for (const std::string& line : lines) {
    const Value chat = read_json(line);
    Value context = Value::object();
    context.set("messages", as_user_text(*chat.find("messages")));
    context.set("add_generation_prompt", Value::boolean(true));
    const auto parts = chat_template->render(context, kNow);
    ASSERT_TRUE(parts) << parts.error().message;
    EXPECT_EQ(joined(*parts), chat.find("rendered")->as_bytes());
    for (const Value& message : chat.find("messages")->items()) {
      const std::string& content = message.find("content")->as_bytes();
      EXPECT_TRUE(std::ranges::any_of(*parts, [&](const RenderedPart& part) {
        return part.from_user && part.text == content;
      })) << content;
    }
  }
}

TEST(ChatTemplate, ErrorsSayWhere) {
  const auto unclosed = ChatTemplate::parse("line one\n  {{ n + }}");
  ASSERT_FALSE(unclosed);
  EXPECT_EQ(unclosed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(unclosed.error().message, "chat template, line 2, column 10: expected a value, found '}}'");
  const auto missing = render("ab\n\n {{ messages[0].content }}", Value::object());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "chat template, line 3, column 13: 'messages' is undefined");
}

TEST(ChatTemplate, RaisedMessagesAreTheTemplatesOwn) {
  const auto parts =
      render("{% macro m() %}{{ raise_exception('Roles must alternate') }}{% endmacro %}\n{{ m() }}",
             Value::object());
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(parts.error().message, "Roles must alternate");
}

TEST(ChatTemplate, WhatItDoesNotHaveIsUnsupported) {
  EXPECT_EQ(ChatTemplate::parse("{% include 'x' %}").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(render("{{ 1|nope }}", Value::object()).error().code, ErrorCode::kUnsupported);
  // A filter that is never reached does no harm.
  EXPECT_TRUE(render("{% if false %}{{ 1|nope }}{% endif %}", Value::object()));
}

TEST(ChatTemplate, TheContextIsAnObjectOfBoundedDepth) {
  EXPECT_FALSE(render("x", Value::array()));
  Value deep = Value::array();
  for (int i = 0; i < kMaxValueDepth; ++i) deep = Value::array({deep});
  Value context = Value::object();
  context.set("deep", deep);
  EXPECT_EQ(render("x", context).error().code, ErrorCode::kInvalidArgument);
}

TEST(ChatTemplate, RenderingLeavesTheContextAndTheTemplateAsTheyWere) {
  const auto chat_template =
      ChatTemplate::parse("{% set xs = xs + [1] %}{% set ns = namespace(d=d) %}{{ xs }}{{ ns.d }}");
  ASSERT_TRUE(chat_template);
  const Value context = read_json(R"({"xs": [0], "d": {"a": 1}})");
  for (int i = 0; i < 3; ++i) {
    const auto parts = chat_template->render(context, kNow);
    ASSERT_TRUE(parts);
    EXPECT_EQ(joined(*parts), "[0, 1]{'a': 1}");
  }
  EXPECT_EQ(context.find("xs")->items().size(), 1u);
}

}  // namespace
}  // namespace quire
