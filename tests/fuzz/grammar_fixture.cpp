// A byte that chooses the kind, then what a client wants its output to look like: as far as it is read here.
#include "base/check.h"
#include "grammar/grammar_compiler.h"
#include "tests/fuzz/fuzz_targets.h"

namespace quire {
namespace {

constexpr GrammarKind kKinds[] = {GrammarKind::kJsonSchema, GrammarKind::kRegex,
                                  GrammarKind::kEbnf,       GrammarKind::kStructuralTag,
                                  GrammarKind::kChoice,     GrammarKind::kToolCalls};
constexpr size_t kMaxSourceBytes = 16 << 20;

}  // namespace

void fuzz_grammar(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  const std::string text(input.substr(1));
  GrammarSpec spec{
      .kind = kKinds[choice % std::size(kKinds)], .text = text, .choices = {text}, .field = "f"};
  if (choice / 8 % 2 == 1)
    spec.reasoning = ReasoningMarks{choice / 16 % 2 == 1 ? "<think>" : "", "</think>"};
  const auto source = GrammarCompiler::source(spec);
  if (!source) {
    CHECK(source.error().message.starts_with("f"));
    CHECK(source.error().message.size() < 2000, "a message of {} bytes", source.error().message.size());
    return;
  }
  CHECK(source->text.size() <= kMaxSourceBytes, "{} bytes are written out as {}", text.size(),
        source->text.size());
  const bool is_tag = spec.kind == GrammarKind::kStructuralTag || spec.kind == GrammarKind::kToolCalls;
  CHECK(source->structural_tag == (spec.reasoning.has_value() || is_tag));
}

std::vector<std::string> grammar_seeds() {
  const std::pair<char, const char*> texts[] = {
      {0, R"({"type":"object","properties":{"a":{"type":"integer","minimum":-3,"maximum":12},)"
          R"("b":{"type":"array",)"
          R"("items":{"enum":["x",1,null]},"minItems":1,"maxItems":3}},"required":["a"],)"
          R"("additionalProperties":false})"},
      {0, R"({"$defs":{"n":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]},"s":{"type":"string",)"
          R"("minLength":1,)"
          R"("maxLength":9,"pattern":"^[a-z]+$"}},"allOf":[{"$ref":"#/$defs/s"},{"format":"date"}]})"},
      {0, R"({"oneOf":[{"const":1.5},{"type":"number","exclusiveMinimum":2,"multipleOf":3}],)"
          R"("prefixItems":[{}],)"
          R"("items":false,"propertyNames":{"maxLength":3},"minProperties":1,"unevaluatedProperties":{}})"},
      {1, R"(^(ab|[^c-e\d]{2,5}|\u00e9\x41(?:x*?y+)?)\.$)"},
      {1, R"([\w\-.]+@[a-z]{1,8}\.(com|org))"},
      {2, "root ::= \"a\" [b-d]{2,3} (rule | \"\")* # note\nrule ::= [^\"\\n]+"},
      {3,
       R"({"format":{"type":"triggered_tags","triggers":["<f"],"tags":[{"type":"tag","begin":"<f>",)"
       R"("content":)"
       R"({"type":"json_schema","json_schema":{"type":"integer"}},"end":["</f>"]}],"at_least_one":true}})"},
      {3,
       R"({"format":{"type":"sequence","elements":[{"type":"repeat","min":1,"max":3,"content":{"type":"or",)"
       R"("elements":[{"type":"regex","pattern":"a+"},{"type":"grammar","grammar":"root ::= \"b\""}]}},)"
       R"({"type":"optional","content":{"type":"any_text","excludes":["x"],"max_chars":5}}]}})"},
      {3, R"({"structures":[{"begin":"<a>","schema":{"type":"null"},"end":"</a>"}],"triggers":["<a"]})"},
      {4, "yes or \"no\""},
      {5,
       R"({"format":{"type":"tag","begin":"[f(","content":{"type":"json_schema","style":"python_arguments",)"
       R"("json_schema":{"type":"object","properties":{"a-b":{"enum":["x",{"y":[null]}]},"n":{"$ref":"#"}},)"
       R"("required":["n"],"additionalProperties":{"type":"string"}}},"end":")]"}})"},
      {5, R"({"format":{"type":"json_schema","strict":false,"json_schema":{"type":"object","properties":)"
          R"({"a":{"uniqueItems":true},"b":{"pattern":"(?=x)y"}},"patternProperties":{"c":{}},)"
          R"("maxProperties":1}}})"},
  };
  std::vector<std::string> seeds;
  for (const auto& [kind, text] : texts) {
    // Each kind by itself and behind reasoning: kinds count modulo their number, bits from 8 on.
    for (const int flags : {0, 8, 24}) {
      for (int choice = flags; choice < flags + 8; ++choice) {
        if (choice % static_cast<int>(std::size(kKinds)) == kind)
          seeds.push_back(static_cast<char>(choice) + std::string(text));
      }
    }
  }
  return seeds;
}

}  // namespace quire
