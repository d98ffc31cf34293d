#include "chat/template_traits.h"

#include <gtest/gtest.h>

#include <string>

namespace quire {
namespace {

TemplateTraits probe(const std::string& source) {
  const auto parsed = ChatTemplate::parse(source);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return probe_template(*parsed, 0);
}

const std::string kText = "{{ m.content if m.content else '' }}";

TEST(TemplateTraits, NoTools) {
  const TemplateTraits traits = probe("{% for m in messages %}{{ m.role }}{{ m.content }}{% endfor %}");
  EXPECT_FALSE(traits.shows_tools);
  EXPECT_FALSE(traits.shows_calls);
}

TEST(TemplateTraits, ArgumentsAsObjects) {
  const TemplateTraits traits = probe("{{ tools | tojson }}{% for m in messages %}" + kText +
                                      "{% for c in m.tool_calls %}{{ c.function.name }}{{ "
                                      "c.function.arguments | tojson }}{% endfor %}{% endfor %}");
  EXPECT_TRUE(traits.shows_tools);
  EXPECT_TRUE(traits.shows_calls);
  EXPECT_TRUE(traits.wants_argument_objects);
  EXPECT_TRUE(traits.takes_null_content);
}

// As DeepSeek's do it: a string is appended.
TEST(TemplateTraits, ArgumentsAsText) {
  const TemplateTraits traits =
      probe("{% for t in tools %}{{ t.function.name }}{% endfor %}{% for m in messages %}" + kText +
            "{% for c in m.tool_calls %}{{ c.function.name + '\\n' + c.function.arguments }}{% endfor %}{% "
            "endfor %}");
  EXPECT_TRUE(traits.shows_tools);
  EXPECT_TRUE(traits.shows_calls);
  EXPECT_FALSE(traits.wants_argument_objects);
}

TEST(TemplateTraits, ContentThatMustBeText) {
  const TemplateTraits traits = probe(
      "{{ tools | tojson }}{% for m in messages %}{{ m.role + m.content }}"
      "{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}{% endfor %}");
  EXPECT_TRUE(traits.shows_calls);
  EXPECT_FALSE(traits.takes_null_content);
}

TEST(TemplateTraits, ToolsThatAreOfferedButNotRemembered) {
  const TemplateTraits traits =
      probe("{{ tools | tojson }}{% for m in messages %}" + kText + "{% endfor %}");
  EXPECT_TRUE(traits.shows_tools);
  EXPECT_FALSE(traits.shows_calls);
}

}  // namespace
}  // namespace quire
