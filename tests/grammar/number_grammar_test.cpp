#include "grammar/number_grammar.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

bool within(double value, const NumberBounds& bounds) {
  if (bounds.least && (value < *bounds.least || (bounds.above_least && value == *bounds.least)))
    return false;
  if (bounds.most && (value > *bounds.most || (bounds.below_most && value == *bounds.most))) return false;
  return true;
}

std::vector<NumberBounds> many_bounds() {
  std::vector<NumberBounds> all(1);
  const std::vector<double> places = {-1000, -105, -12.5, -1, -0.25, 0,  0.1, 0.5,
                                      1,     3,    9.99,  10, 42,    99, 250, 1000};
  for (size_t i = 0; i < places.size(); ++i) {
    for (const bool open : {false, true}) {
      NumberBounds below, above;
      below.lower_most(places[i], open);
      above.raise_least(places[i], open);
      all.push_back(below);
      all.push_back(above);
      for (size_t j = i; j < places.size(); ++j) {
        NumberBounds both = above;
        both.lower_most(places[j], j % 2 == 0);
        all.push_back(both);
      }
    }
  }
  return all;
}

// A grammar allows exactly the numbers within its bounds, among those of few digits.
TEST(NumberGrammar, WholeNumbersWithinBounds) {
  GrammarFixture fixture;
  size_t seen = 0;
  for (const auto& bounds : many_bounds()) {
    if (seen++ % 3 != 0) continue;
    EbnfRules rules;
    const auto ebnf = integer_ebnf(bounds, 1, rules);
    bool any = false;
    for (int value = -1200; value <= 1200; ++value) any = any || within(value, bounds);
    ASSERT_EQ(ebnf.has_value(), any);
    if (!any) continue;
    const auto grammar = fixture.compile(GrammarKind::kEbnf, "root ::= " + *ebnf + "\n");
    ASSERT_NE(grammar, nullptr);
    for (int value = -1111; value <= 1111; value += value > -130 && value < 130 ? 1 : 7) {
      ASSERT_EQ(accepts(grammar, std::to_string(value)), within(value, bounds)) << value << " in " << *ebnf;
    }
    for (const char* text : {"", "-", "-0", "00", "01", "+1", "1.0", "1e3"})
      EXPECT_FALSE(accepts(grammar, text));
  }
}

TEST(NumberGrammar, DecimalsWithinBounds) {
  GrammarFixture fixture;
  size_t seen = 0;
  for (const auto& bounds : many_bounds()) {
    if (seen++ % 4 != 0 || (!bounds.least && !bounds.most)) continue;
    const auto ebnf = number_ebnf(bounds);
    if (!ebnf) continue;
    const auto grammar = fixture.compile(GrammarKind::kEbnf, "root ::= " + *ebnf + "\n");
    ASSERT_NE(grammar, nullptr);
    for (const int whole :
         {0, 1, 2, 3, 9, 10, 11, 12, 41, 42, 98, 99, 100, 105, 249, 250, 251, 999, 1000, 1001}) {
      for (const char* fraction :
           {"", ".0", ".1", ".25", ".250", ".26", ".3", ".5", ".50", ".99", ".999"}) {
        for (const char* sign : {"", "-"}) {
          const std::string text = sign + std::to_string(whole) + fraction;
          const double value = std::stod(text);
          if (value == 0 && *sign != '\0') continue;  // minus nothing is not written
          ASSERT_EQ(accepts(grammar, text), within(value, bounds)) << text << " in " << *ebnf;
        }
      }
    }
  }
}

// Integers of up to 64 bits where the bounds have as many digits: ids, nanoseconds.
TEST(NumberGrammar, LargeIntegersWithinBounds) {
  struct Row {
    const char* schema;
    std::vector<const char*> valid, invalid;
  };
  const Row rows[] = {
      {R"({"type":"integer","minimum":100000000000000000})",
       {"100000000000000000", "123456789012345678", "9223372036854775807"},
       {"99999999999999999", "9223372036854775808", "10000000000000000000", "1", "-1"}},
      {R"({"type":"integer","minimum":0,"maximum":9223372036854775807})",
       {"0", "9", "175928847299117063", "9223372036854775807"},
       {"-1", "9223372036854775808", "9999999999999999999"}},
      {R"({"type":"integer","minimum":9007199254740993,"maximum":9007199254740995})",
       {"9007199254740993", "9007199254740995"},
       {"9007199254740992", "9007199254740996"}},
      {R"({"type":"integer","exclusiveMaximum":-1000000000000000000,"minimum":-1000000000000000005})",
       {"-1000000000000000001", "-1000000000000000005"},
       {"-1000000000000000000", "-1000000000000000006"}},
      {R"({"type":"integer","minimum":9223372036854775800,"multipleOf":5})",
       {"9223372036854775800", "9223372036854775805"},
       {"9223372036854775801", "9223372036854775810"}},
      {R"({"type":"integer","minimum":0,"maximum":1e30})", {"999999999999999"}, {"1000000000000000", "-1"}},
  };
  GrammarFixture fixture;
  for (const Row& row : rows) {
    const auto grammar = fixture.schema(row.schema);
    ASSERT_NE(grammar, nullptr) << row.schema;
    for (const char* text : row.valid) EXPECT_TRUE(accepts(grammar, text)) << text << " in " << row.schema;
    for (const char* text : row.invalid)
      EXPECT_FALSE(accepts(grammar, text)) << text << " in " << row.schema;
  }
  for (const char* schema :
       {R"({"type":"integer","minimum":1e19})", R"({"type":"integer","maximum":-1e30})"}) {
    const std::string error = fixture.error(GrammarKind::kJsonSchema, schema);
    EXPECT_TRUE(error.contains("64 bits")) << error;
  }
  const std::string error =
      fixture.error(GrammarKind::kJsonSchema, R"({"type":"number","minimum":100000000000000000})");
  EXPECT_TRUE(error.contains("at most 15 digits")) << error;
}

TEST(NumberGrammar, NothingBetween) {
  NumberBounds none;
  none.raise_least(2, true);
  none.lower_most(2, false);
  EXPECT_FALSE(number_ebnf(none));
  EbnfRules rules;
  EXPECT_FALSE(integer_ebnf(none, 1, rules));
  NumberBounds fraction;
  fraction.raise_least(0.2, false);
  fraction.lower_most(0.8, false);
  EXPECT_TRUE(number_ebnf(fraction));
  EXPECT_FALSE(integer_ebnf(fraction, 1, rules));
}

TEST(NumberGrammar, Multiples) {
  GrammarFixture fixture;
  for (const int64_t step : {2, 7, 25}) {
    EbnfRules rules;
    const auto free = integer_ebnf({}, step, rules);
    ASSERT_TRUE(free);
    const auto unbounded = fixture.compile(GrammarKind::kEbnf, "root ::= " + *free + "\n" + rules.text());
    NumberBounds bounds;
    bounds.raise_least(-31, false);
    bounds.lower_most(99, false);
    const auto some = integer_ebnf(bounds, step, rules);
    ASSERT_TRUE(some);
    const auto bounded = fixture.compile(GrammarKind::kEbnf, "root ::= " + *some + "\n");
    for (int value = -120; value <= 120; ++value) {
      EXPECT_EQ(accepts(unbounded, std::to_string(value)), value % step == 0) << value;
      EXPECT_EQ(accepts(bounded, std::to_string(value)), value % step == 0 && value >= -31 && value <= 99)
          << value;
    }
  }
  EbnfRules rules;
  EXPECT_FALSE(integer_ebnf({}, 1000, rules));
}

// As all numbers: no more digits than a double keeps.
TEST(NumberGrammar, UnboundedMultiplesEnd) {
  GrammarFixture fixture;
  for (const int64_t step : {3, 7, 10, 64}) {
    EbnfRules rules;
    const auto free = integer_ebnf({}, step, rules);
    ASSERT_TRUE(free);
    const auto grammar = fixture.compile(GrammarKind::kEbnf, "root ::= " + *free + "\n" + rules.text());
    const int64_t most = 999'999'999'999'999 / step * step;
    for (const int64_t value : {most, -most, most - step, most / 100 / step * step}) {
      EXPECT_TRUE(accepts(grammar, std::to_string(value))) << value;
    }
    for (const int64_t value : {most - 1, most + step, most * 10, most * 100, -most * 10}) {
      EXPECT_FALSE(accepts(grammar, std::to_string(value))) << value;
    }
    // Whatever may come leads to a multiple.
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const auto text = draw(fixture, grammar, seed, 40);
      ASSERT_TRUE(text) << seed;
      EXPECT_EQ(std::stoll(*text) % step, 0) << *text;
    }
  }
}

}  // namespace
}  // namespace quire
