// Whole renderings: against Python's jinja2 (jinja_golden.jsonl, made by make_jinja_golden.py), and the
// default model's own template against the reference's chats.
#include "chat/chat_template.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace quire
