// What a user wrote stays marked as the user's through everything that a template does with it, so that a
// special token's spelling in it stays text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chat/chat_template.h"
#include "chat/rendering.h"

namespace quire {
namespace {

struct Part {
  std::string text;
  bool from_user;
  bool operator==(const Part&) const = default;
};
void PrintTo(const Part& part, std::ostream* out) {
  *out << (part.from_user ? "user(" : "template(") << part.text << ")";
}

Part user(std::string text) { return {std::move(text), true}; }
Part own(std::string text) { return {std::move(text), false}; }

// `m` is the user's "<|im_end|>", `t` the same trusted, `xs` the user's words.
std::vector<Part> render(std::string_view source) {
  Value context = Value::object();
  context.set("m", Value::user_text("<|im_end|>"));
  context.set("padded", Value::user_text("  <|im_end|>\n"));
  context.set("t", Value::string("<|im_end|>"));
  context.set("xs", Value::array({Value::user_text("a"), Value::string("b"), Value::user_text("c")}));
  Value call = Value::object();
  call.set(Value::user_text("<key>"), Value::user_text("say \"<|im_end|>\""));
  call.set("n", Value::integer(5));
  context.set("call", call);
  const auto chat_template = ChatTemplate::parse(source);
  EXPECT_TRUE(chat_template) << chat_template.error().message;
  const auto rendered = chat_template->render(context, 0);
  EXPECT_TRUE(rendered) << rendered.error().message;
  std::vector<Part> parts;
  for (const auto& part : *rendered) parts.push_back({part.text, part.from_user});
  return parts;
}

using testing::ElementsAre;

TEST(Provenance, TextOfTheTemplateIsTrusted) {
  EXPECT_THAT(render("<|im_end|>{{ '<|im_start|>' }}{{ t }}{{ 5 }}"),
              ElementsAre(own("<|im_end|><|im_start|><|im_end|>5")));
}

TEST(Provenance, KeptByOutputAndConcatenation) {
  EXPECT_THAT(render("{{ m }}"), ElementsAre(user("<|im_end|>")));
  EXPECT_THAT(render("<|s|>{{ m }}<|e|>"), ElementsAre(own("<|s|>"), user("<|im_end|>"), own("<|e|>")));
  EXPECT_THAT(render("{{ 'a' + m + 'b' }}"), ElementsAre(own("a"), user("<|im_end|>"), own("b")));
  EXPECT_THAT(render("{{ 'a' ~ m ~ 1 }}"), ElementsAre(own("a"), user("<|im_end|>"), own("1")));
  EXPECT_THAT(render("{{ m * 2 }}"), ElementsAre(user("<|im_end|><|im_end|>")));
  EXPECT_THAT(render("{{ m ~ t }}"), ElementsAre(user("<|im_end|>"), own("<|im_end|>")));
}

TEST(Provenance, KeptBySlicesAndStrips) {
  EXPECT_THAT(render("{{ ('[' ~ m ~ ']')[0:4] }}"), ElementsAre(own("["), user("<|i")));
  EXPECT_THAT(render("{{ ('[' ~ m ~ ']')[::-1] }}"), ElementsAre(own("]"), user(">|dne_mi|<"), own("[")));
  EXPECT_THAT(render("{{ m[1] }}{{ m[-1] }}"), ElementsAre(user("|>")));
  EXPECT_THAT(render("{{ padded|trim }}{{ padded.strip() }}"), ElementsAre(user("<|im_end|><|im_end|>")));
  EXPECT_THAT(render("{{ padded.lstrip() }}"), ElementsAre(user("<|im_end|>\n")));
  EXPECT_THAT(render("{% for c in m %}{{ c }}{% endfor %}"), ElementsAre(user("<|im_end|>")));
  EXPECT_THAT(render("{{ m|first ~ m|last ~ m|list|join }}"), ElementsAre(user("<><|im_end|>")));
}

TEST(Provenance, KeptByReplaceOnBothSides) {
  EXPECT_THAT(render("{{ m.replace('im', 'x') }}"), ElementsAre(user("<|"), own("x"), user("_end|>")));
  EXPECT_THAT(render("{{ 'say HERE now'|replace('HERE', m) }}"),
              ElementsAre(own("say "), user("<|im_end|>"), own(" now")));
  EXPECT_THAT(render("{{ m|replace('', '-', 1) }}"), ElementsAre(own("-"), user("<|im_end|>")));
}

TEST(Provenance, KeptBySplitAndJoin) {
  EXPECT_THAT(render("{{ m.split('_')[1] }}"), ElementsAre(user("end|>")));
  EXPECT_THAT(render("{{ m.rsplit('_', 1)|join('+') }}"),
              ElementsAre(user("<|im"), own("+"), user("end|>")));
  EXPECT_THAT(render("{{ xs|join(', ') }}"), ElementsAre(user("a"), own(", b, "), user("c")));
  EXPECT_THAT(render("{{ m.join(['1', '2']) }}"), ElementsAre(own("1"), user("<|im_end|>"), own("2")));
  EXPECT_THAT(render("{{ m.partition('|im_')[2] }}"), ElementsAre(user("end|>")));
  EXPECT_THAT(render("{{ ('x\n' ~ m)|indent(2) }}"), ElementsAre(own("x\n  "), user("<|im_end|>")));
}

TEST(Provenance, KeptByCaseAndEscapes) {
  EXPECT_THAT(render("{{ ('im ' ~ m)|upper }}"), ElementsAre(own("IM "), user("<|IM_END|>")));
  EXPECT_THAT(render("{{ ('im ' ~ m)|capitalize }}"), ElementsAre(own("Im "), user("<|im_end|>")));
  EXPECT_THAT(render("{{ ('a' ~ m ~ 'b').title() }}"), ElementsAre(own("A"), user("<|Im_End|>"), own("B")));
  EXPECT_THAT(render("{{ m|e }}"), ElementsAre(user("&lt;|im_end|&gt;")));
}

TEST(Provenance, KeptByJsonAndRepr) {
  EXPECT_THAT(render("{{ call|tojson }}"),
              ElementsAre(own("{\""), user("<key>"), own("\": \""), user("say \\\"<|im_end|>\\\""),
                          own("\", \"n\": 5}")));
  EXPECT_THAT(render("{{ xs }}"),
              ElementsAre(own("['"), user("a"), own("', 'b', '"), user("c"), own("']")));
  EXPECT_THAT(render("{% for k, v in call|items %}{{ k }}{% endfor %}"),
              ElementsAre(user("<key>"), own("n")));
  EXPECT_THAT(render("{{ call|dictsort|map('first')|join }}"), ElementsAre(user("<key>"), own("n")));
}

TEST(Provenance, KeptByFormats) {
  EXPECT_THAT(render("{{ '<%s>' % m }}"), ElementsAre(own("<"), user("<|im_end|>"), own(">")));
  EXPECT_THAT(render("{{ '%12s' % m }}"), ElementsAre(own("  "), user("<|im_end|>")));
  EXPECT_THAT(render("{{ '{}!'.format(m) }}"), ElementsAre(user("<|im_end|>"), own("!")));
  EXPECT_THAT(render("{{ m.center(12, '*') }}"), ElementsAre(own("*"), user("<|im_end|>"), own("*")));
  EXPECT_THAT(render("{{ (m ~ ' tail')|truncate(8, true, '~', 0) }}"),
              ElementsAre(user("<|im_en"), own("~")));
}

TEST(Provenance, KeptByVariablesMacrosAndBlocks) {
  EXPECT_THAT(render("{% set ns = namespace(x='') %}{% set ns.x = ns.x ~ m %}{{ ns.x }}"),
              ElementsAre(user("<|im_end|>")));
  EXPECT_THAT(render("{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f(m)|upper }}"),
              ElementsAre(own("["), user("<|IM_END|>"), own("]")));
  EXPECT_THAT(render("{% set b %}<{{ m }}>{% endset %}{{ b }}"),
              ElementsAre(own("<"), user("<|im_end|>"), own(">")));
  EXPECT_THAT(render("{% filter upper %}x{{ m }}{% endfilter %}"),
              ElementsAre(own("X"), user("<|IM_END|>")));
  EXPECT_THAT(render("{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}{{ m }}{% endcall %}"),
              ElementsAre(user("<|im_end|>")));
  EXPECT_THAT(render("{{ {'k': m}.k }}{{ dict(a=m).a }}{{ [m][0] }}{{ nope|default(m) }}"),
              ElementsAre(user("<|im_end|><|im_end|><|im_end|><|im_end|>")));
}

}  // namespace
}  // namespace quire
