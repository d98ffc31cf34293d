// Templates that mean harm: blow-ups in time, memory and recursion end in an error, and soon.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "chat/chat_template.h"
#include "tests/chat/json_fixture.h"

namespace quire {
namespace {

std::string repeated(std::string_view piece, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += piece;
  return out;
}

Expected<std::string> render(std::string_view source, const TemplateLimits& limits = {}) {
  const Value context = test::read_json(R"({"xs": [1, 2, 3], "s": "text", "d": {"a": 1}})");
  const auto chat_template = ChatTemplate::parse(source, limits);
  if (!chat_template) return std::unexpected(chat_template.error());
  const auto parts = chat_template->render(context, 0);
  if (!parts) return std::unexpected(parts.error());
  std::string text;
  for (const auto& part : *parts) text += part.text;
  return text;
}

class Hostile : public testing::TestWithParam<const char*> {};

TEST_P(Hostile, EndsWithoutResources) {
  const auto text = render(GetParam());
  ASSERT_FALSE(text) << text->size();
  EXPECT_EQ(text.error().code, ErrorCode::kResourceExhausted) << text.error().message;
}

// Each doubles, multiplies, nests or loops past one of the budgets.
INSTANTIATE_TEST_SUITE_P(
    BlowUps, Hostile,
    testing::Values(
        "{{ 'a' * 1000000000 }}", "{{ [0] * 1000000000 }}", "{{ ('a' * 1000000) * 1000000 }}",
        "{{ (1, 2) * 4611686018427387904 }}", "{{ range(1000000000000) }}", "{{ range(0, 100001)|list }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor "
        "%}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor "
        "%}{{ ns.x|tojson }}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}"
        "{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}",
        "{% set ns = namespace(x={}) %}{% for i in range(1000) %}{% set ns.x = {'k': ns.x} %}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99) %}{{ b }}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(x) %}{{ f([x]) }}{% endmacro %}{{ f(1) }}",
        "{% macro f() %}{% for x in xs %}{{ f() }}{% endfor %}{% endmacro %}{{ f() }}",
        "{% macro f() %}{{ caller() }}{% call f() %}x{% endcall %}{% endmacro %}{% call f() %}y{% endcall "
        "%}",
        "{% set ns = namespace() %}{% macro f() %}{{ ns.f() }}{% endmacro %}{% set ns.f = f %}{{ ns.f() }}",
        "{{ 'a'|map(*(['map'] * 5000)) }}", "{{ xs|map('string')|map(*(['map'] * 900))|list }}",
        "{{ ('a' * 8000000)|replace('a', 'bbbb') }}", "{{ ('a' * 100000)|replace('', 'b' * 100000) }}",
        "{{ ('a' * 3000000)|replace('', '-') }}", "{{ ('a ' * 1000000).split() }}",
        "{{ ('a' * 10000000)|list }}", "{{ ('a' * 10000000).split('a') }}",
        "{{ ('x' * 9000000).join('ab' * 3) }}", "{{ ('\n' * 3000000).splitlines() }}",
        "{{ ('x\n' * 100000)|indent(100000) }}", "{{ 'x'|indent(100000000000) }}",
        "{{ xs|tojson(indent=100000000000) }}", "{{ [[[xs]]]|tojson(indent=9000000) }}",
        "{{ 'a'|center(100000000000) }}", "{{ 'a'.ljust(100000000000) }}", "{{ '1'.zfill(100000000000) }}",
        "{{ (range(1000)|list * 500)|sort }}", "{{ (range(9999)|list * 99)|unique|list }}",
        "{% for i in range(1000) %}{{ ('a' * 1000000)|upper|length }}{% endfor %}",
        "{% for i in range(10000) %}{{ 'b' in 'a' * 1000000 }}{% endfor %}",
        "{% set s = 'a' * 5000000 %}{% set t = 'a' * 5000000 %}{% for i in range(99999) %}{{ s == t }}{% "
        "endfor %}",
        "{% for i in range(99999) %}{% set x = range(99999)|list %}{% endfor %}",
        "{% for i in range(99999) %}{% set x = namespace(a=range(9999)|list) %}{% endfor %}",
        "{{ ('%1000d' * 99999) % ((1,) * 99999) }}"));

// A string that grows by small pieces runs into the length of a text, not into the steps.
TEST(Limits, OutputIsBounded) {
  TemplateLimits limits;
  limits.max_output_bytes = 1000;
  EXPECT_EQ(render("{% for i in range(100) %}0123456789{% endfor %}", limits).value().size(), 1000u);
  EXPECT_EQ(render("{% for i in range(101) %}0123456789{% endfor %}", limits).error().code,
            ErrorCode::kResourceExhausted);
  EXPECT_FALSE(render("{% set x %}{% for i in range(101) %}0123456789{% endfor %}{% endset %}", limits));
  EXPECT_FALSE(render("{{ 'a' * 1001 }}", limits));
  EXPECT_TRUE(render("{{ ('a' * 1000)|length }}", limits));
}

TEST(Limits, StepsAreBounded) {
  TemplateLimits limits;
  limits.max_steps = 500;
  EXPECT_TRUE(render("{% for i in range(50) %}{{ i }}{% endfor %}", limits));
  EXPECT_EQ(render("{% for i in range(500) %}{{ i }}{% endfor %}", limits).error().code,
            ErrorCode::kResourceExhausted);
}

TEST(Limits, SourceIsBounded) {
  TemplateLimits limits;
  limits.max_source_bytes = 100;
  EXPECT_TRUE(ChatTemplate::parse(std::string(100, 'x'), limits));
  EXPECT_EQ(ChatTemplate::parse(std::string(101, 'x'), limits).error().code, ErrorCode::kResourceExhausted);
}

TEST(Limits, NestingOfTheSourceIsBounded) {
  const size_t n = 100'000;
  for (const auto& [open, middle, close] :
       std::vector<std::array<std::string, 3>>{{"(", "1", ")"},
                                               {"[", "1", "]"},
                                               {"{1:", "1", "}"},
                                               {"not ", "1", ""},
                                               {"- ", "1", ""},
                                               {"", "x", ".x"},
                                               {"", "x", "[0]"},
                                               {"", "x", "()"},
                                               {"", "x", "|upper"},
                                               {"f(", "1", ")"},
                                               {"x[", "1", "]"},
                                               {"1 if ", "1", ""},
                                               {"1 if 1 else ", "1", ""},
                                               {"", "1", " if 1 else 1"},
                                               {"1|f(", "1", ")"},
                                               {"1 is f(", "1", ")"},
                                               {"(not ", "1", ")"},
                                               {"(1 + ", "1", ")"},
                                               {"f(a=", "1", ")"}}) {
    const std::string source = "{{ " + repeated(open, n) + middle + repeated(close, n) + " }}";
    const auto parsed = ChatTemplate::parse(source);
    ASSERT_FALSE(parsed) << open << close;
    EXPECT_TRUE(parsed.error().code == ErrorCode::kResourceExhausted || open == "1 if ") << open << close;
  }
  for (const auto& [open, close] :
       std::vector<std::pair<std::string, std::string>>{{"{% if 1 %}", "{% endif %}"},
                                                        {"{% for x in y %}", "{% endfor %}"},
                                                        {"{% with %}", "{% endwith %}"},
                                                        {"{% macro m() %}", "{% endmacro %}"},
                                                        {"{% set x %}", "{% endset %}"},
                                                        {"{% call f() %}", "{% endcall %}"},
                                                        {"{% filter upper %}", "{% endfilter %}"},
                                                        {"{% generation %}", "{% endgeneration %}"},
                                                        {"{% if 1 %}{% else %}", "{% endif %}"}}) {
    const auto parsed = ChatTemplate::parse(repeated(open, 20'000) + repeated(close, 20'000));
    ASSERT_FALSE(parsed) << open;
    EXPECT_EQ(parsed.error().code, ErrorCode::kResourceExhausted) << open;
  }
  EXPECT_FALSE(ChatTemplate::parse("{% set " + repeated("(", n) + "a" + repeated(")", n) + " = 1 %}"));
}

// Chains of one operator are flat, so that their length is no depth.
TEST(Limits, LongChainsAreNotDeep) {
  for (const std::string op : {"+", "*", "-", "~", " and ", " or ", " == ", " < "}) {
    const auto text = render("{{ (1" + repeated(op + "1", 5000) + ") is defined }}");
    const bool overflows = op == "~";
    if (!overflows) {
      EXPECT_TRUE(text) << op << ": " << text.error().message;
    }
  }
  EXPECT_TRUE(render("{% if 0 %}" + repeated("{% elif 0 %}a", 5000) + "{% endif %}"));
  EXPECT_TRUE(render("{{ [" + repeated("1,", 5000) + "]|length }}"));
}

TEST(Limits, MacrosMayCallThemselvesToAUsefulDepth) {
  const auto text = render(
      "{% macro f(n) %}{% if n > 0 %}{% for x in [n] %}{{ f(x - 1) }}{% endfor %}{% endif %}.{% endmacro "
      "%}{{ f(60) }}");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->size(), 61u);
}

TEST(Limits, IntegersDoNotOverflow) {
  for (const char* source :
       {"{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}", "{{ 9223372036854775807 * 2 }}",
        "{{ 10 ** 19 }}", "{{ -(-9223372036854775807 - 1) }}", "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ 9223372036854775808 }}", "{{ 1e300|int }}", "{{ '99999999999999999999'|int }}",
        "{{ (-9223372036854775807 - 1)|abs }}", "{{ 2.0 ** 10000 }}"}) {
    const auto text = render(source);
    ASSERT_FALSE(text) << source << " gave " << *text;
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument) << source;
  }
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) % -1 }}").value(), "0");
  EXPECT_EQ(render("{{ 'abc'[::9223372036854775807] }}{{ 'abc'[::-9223372036854775807 - 1] }}").value(),
            "ac");
  EXPECT_EQ(render("{{ xs[-9223372036854775807 - 1:9223372036854775807] }}").value(), "[1, 2, 3]");
  EXPECT_EQ(render("{{ range(9223372036854775800, 9223372036854775807, 5)|list|length }}").value(), "2");
}

}  // namespace
}  // namespace quire
