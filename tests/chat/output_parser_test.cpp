#include "chat/output_parser.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "chat/call_arguments.h"
#include "tests/base/test_effort.h"

namespace quire {
namespace {

OutputSpec spec_of(ToolStyle style, ReasoningStyle reasoning = ReasoningStyle::kNone) {
  return {.tool_style = style, .tools = {"f", "get_weather"}, .reasoning_style = reasoning};
}

// What an answer has of it, which gets `more` of it: as writers and clients put deltas together.
void accumulate(const ParsedOutput& more, ParsedOutput& all) {
  all.content += more.content;
  all.reasoning += more.reasoning;
  for (const CallPiece& piece : more.calls) {
    if (!piece.name.empty()) all.calls.push_back({.name = piece.name});
    ASSERT_FALSE(all.calls.empty()) << "a call without a name";
    ASSERT_FALSE(all.calls.back().whole) << "a call goes on after its end";
    ASSERT_FALSE(piece.arguments.empty());
    all.calls.back().arguments += piece.arguments;
    all.calls.back().whole = piece.whole;
  }
}

// The text in pieces of 1 to `longest` bytes.
ParsedOutput parse(const OutputSpec& spec, std::string_view text, size_t longest = 1 << 30,
                   uint64_t seed = 0) {
  OutputParser parser(spec);
  ParsedOutput all;
  Rng rng(seed);
  while (!text.empty()) {
    const size_t length =
        std::min<size_t>(text.size(), longest > text.size() ? text.size() : 1 + rng.below(longest));
    ParsedOutput out;
    parser.push(text.substr(0, length), out);
    accumulate(out, all);
    text.remove_prefix(length);
  }
  ParsedOutput out;
  parser.finish(out);
  accumulate(out, all);
  return all;
}

// "content|reasoning|name(arguments)...", with ~ for the end of arguments that are not whole
std::string show(const ParsedOutput& out) {
  std::string shown = out.content + "|" + out.reasoning + "|";
  for (const CallPiece& call : out.calls) {
    shown += call.name + "(" + call.arguments + (call.whole ? ")" : "~");
  }
  return shown;
}

struct Row {
  const char* text;
  const char* shown;
};

void expect_rows(const OutputSpec& spec, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(show(parse(spec, row.text)), row.shown) << row.text;
    EXPECT_EQ(show(parse(spec, row.text, 1)), row.shown) << row.text;
    for (uint64_t seed = 0; seed < 8; ++seed)
      EXPECT_EQ(show(parse(spec, row.text, 7, seed)), row.shown) << row.text;
  }
}

TEST(OutputParser, Hermes) {
  expect_rows(
      spec_of(ToolStyle::kHermes),
      {{"", "||"},
       {"Hello <b>!\n ", "Hello <b>!\n ||"},
       {"<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>", "||f({\"x\": 1})"},
       {"Let me see.\n\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n"
        "<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"a\":\"</tool_call>\"}}</tool_call>\n",
        "Let me see.||f({})get_weather({\"a\":\"</tool_call>\"})"},
       {"<tool_call>{\"name\":\"f\"}</tool_call>\n\nDone. ", "Done. ||f({})"},
       // The end of the text closes what is whole.
       {"<tool_call>\n{\"name\":\"f\"}\n", "||f({})"},
       {"<tool_call>\n{\"name\":\"f\"}\n</tool", "||f({})"},
       // What is no call is content, whole.
       {"a <tool_call>\n{\"name\":\"f\"", "a <tool_call>\n{\"name\":\"f\"||"},
       {"<tool_call>{\"name\":\"g\",\"arguments\":{}}</tool_call>",
        "<tool_call>{\"name\":\"g\",\"arguments\":{}}</tool_call>||"},
       {"<tool_call>{'name':'f'}</tool_call> ", "<tool_call>{'name':'f'}</tool_call> ||"},
       {"<tool_call>{\"name\":\"f\"} x</tool_call>", "<tool_call>{\"name\":\"f\"} x</tool_call>||"},
       {"<tool_ca", "<tool_ca||"},
       {"<tool_call>", "<tool_call>||"},
       // A call whose arguments have begun stands, and what follows it without fitting is content.
       {"<tool_call>{\"name\":\"f\",\"arguments\":{\"x\": 1", "||f({\"x\": 1~"},
       {"<tool_call>{\"name\":\"f\",\"arguments\":{\"x\": 1} \n", "||f({\"x\": 1})"},
       {"<tool_call>{\"name\":\"f\",\"arguments\":{\"x\":1}}", "||f({\"x\":1})"},
       {"<tool_call>{\"name\":\"f\",\"arguments\":{\"x\":Oslo}} b", "Oslo}} b||f({\"x\":~"},
       {"<tool_call>{\"name\":\"f\",\"arguments\":{}} x</tool_call>", "x</tool_call>||f({})"},
       {"<tool_call>{\"name\":\"f\",\"arguments\":{},\"name\":\"g\"}</tool_call>", "||f({})"},
       {"<tool_call>{\"name\":\"f\",\"arguments\":{\"x\" <tool_call>{\"name\":\"f\"}</tool_call>",
        "||f({\"x\" ~f({})"},
       // Where the name comes last, so does the call.
       {"<tool_call>{\"arguments\":{\"x\":1},\"name\":\"f\"}</tool_call>", "||f({\"x\":1})"},
       {"<tool_call>{\"arguments\":{\"x\":1},\"name\":\"g\"}</tool_call>",
        "<tool_call>{\"arguments\":{\"x\":1},\"name\":\"g\"}</tool_call>||"},
       // A call after one that fails.
       {"<tool_call><tool_call>{\"name\":\"f\"}</tool_call>", "<tool_call>||f({})"},
       {"<tool_<tool_call>{\"name\":\"f\"}</tool_call>", "<tool_||f({})"}});
}

TEST(OutputParser, Llama3Json) {
  expect_rows(spec_of(ToolStyle::kLlama3Json),
              {{"{\"name\": \"f\", \"parameters\": {\"x\": 1}}", "||f({\"x\": 1})"},
               {" <|python_tag|>{\"name\": \"f\", \"parameters\": {}}", "||f({})"},
               {"<|python_tag|>{\"name\":\"f\"}; {\"name\":\"get_weather\"}\n{\"name\":\"f\"}",
                "||f({})get_weather({})f({})"},
               {"Sure: <|python_tag|>{\"name\":\"f\"}", "Sure:||f({})"},
               {"{\"name\":\"f\"} and so on", "and so on||f({})"},
               {"{\"name\":\"f\"}; and so on", "; and so on||f({})"},
               {"{\"title\": \"f\"}", "{\"title\": \"f\"}||"},
               {"Look: {\"name\":\"f\"}", "Look: {\"name\":\"f\"}||"},
               {"<|python_tag|>print(1)", "<|python_tag|>print(1)||"},
               {"{\"name\":\"f\"", "{\"name\":\"f\"||"},
               {"{\"name\":\"f\",\"parameters\":{}}; {\"name\":\"f\",\"parameters\":{\"a\":[",
                "||f({})f({\"a\":[~"}});
}

TEST(OutputParser, Mistral) {
  expect_rows(
      spec_of(ToolStyle::kMistral),
      {{"[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"x\": 1}}, {\"name\": \"f\"}]",
        "||f({\"x\": 1})f({})"},
       {"[TOOL_CALLS]f{\"x\": \"]\"}[TOOL_CALLS]get_weather{}", "||f({\"x\": \"]\"})get_weather({})"},
       {"Well. [TOOL_CALLS]f[ARGS]{}", "Well.||f({})"},
       {"[TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{\"a\":2}", "||f({\"a\":2})"},
       {"[TOOL_CALLS]g{}", "[TOOL_CALLS]g{}||"},
       {"[TOOL_CALLS]f[1]", "[TOOL_CALLS]f[1]||"},
       {"[TOOL_CALLS]f{\"x\": 1", "||f({\"x\": 1~"},
       {"[TOOL_CALLS]f[ARGS]{\"x\": x}[TOOL_CALLS]f{}", "x}||f({\"x\": ~f({})"},
       {"[TOOL_CALLS]g{\"x\": \"[TOOL_CALLS]f{}\"}", "[TOOL_CALLS]g{\"x\": \"[TOOL_CALLS]f{}\"}||"},
       {"[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"x\": 1}}, {\"name\": \"f\"}, 1] a",
        "{\"name\": \"f\"}, 1] a||f({\"x\": 1})"},
       {"[TOOL_CALLS][{\"name\": \"f\"}, {\"name\": \"f\", \"arguments\": {\"x\": 1}}, {\"name",
        "{\"name||f({})f({\"x\": 1})"},
       {"[TOOL_CALLS][{\"name\": \"f\"}, 1]", "[TOOL_CALLS][{\"name\": \"f\"}, 1]||"},
       {"[1, 2] [TOOL", "[1, 2] [TOOL||"}});
}

TEST(OutputParser, DeepseekV3) {
  const std::string long_call =
      "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"x\": \"```\"}\n```<｜tool▁call▁end｜>";
  const std::string short_call = "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{}<｜tool▁call▁end｜>";
  const std::string begin = "<｜tool▁calls▁begin｜>", end = "<｜tool▁calls▁end｜>";
  const std::string both = "Hm.\n" + begin + long_call + "\n" + short_call + end + "\n";
  const std::string broken = begin + long_call + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>g";
  const std::string open = begin + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"x\": 1}";
  const std::string cut = begin + long_call + "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"x\": [tru";
  const std::string unfenced = begin + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{} end";
  expect_rows(spec_of(ToolStyle::kDeepseekV3),
              {{cut.c_str(), "||f({\"x\": \"```\"})get_weather({\"x\": [tru~"},
               {unfenced.c_str(), "end||f({})"},
               {both.c_str(), "Hm.||f({\"x\": \"```\"})get_weather({})"},
               {open.c_str(), "||f({\"x\": 1})"},
               {broken.c_str(), "<｜tool▁call▁begin｜>function<｜tool▁sep｜>g||f({\"x\": \"```\"})"},
               {begin.c_str(), "<｜tool▁calls▁begin｜>||"}});
}

TEST(OutputParser, Pythonic) {
  expect_rows(spec_of(ToolStyle::kPythonic),
              {{"[f(a=1, b=\"x\"), get_weather()]", "||f({\"a\": 1, \"b\": \"x\"})get_weather({})"},
               {"\n[f()]\nThat is it.", "That is it.||f({})"},
               {"[1] says so", "[1] says so||"},
               {"[g()]", "[g()]||"},
               {"[f(a=1", "[f(a=1||"},
               {"Call [f()]", "Call [f()]||"}});
}

TEST(OutputParser, Reasoning) {
  const OutputSpec closed = spec_of(ToolStyle::kHermes, ReasoningStyle::kMarked);
  expect_rows(closed, {{"<think>\nHm, <b>.\n</think>\n\nYes. ", "Yes. |Hm, <b>.|"},
                       {" \n<think></think>No", "No||"},
                       {"<think>Still", "|Still|"},
                       {"<think>Still</thi", "|Still</thi|"},
                       {"<think>a</think>\n<tool_call>{\"name\":\"f\"}</tool_call>", "|a|f({})"},
                       {"<think>a <tool_call>{\"name\":\"f\"}</tool_call></think>b",
                        "b|a <tool_call>{\"name\":\"f\"}</tool_call>|"},
                       {"No <think>a</think>", "No <think>a</think>||"},
                       {"<tool_call>{\"name\":\"f\"}</tool_call>", "||f({})"},
                       {" <thin", " <thin||"},
                       {"</think>a", "</think>a||"}});
  OutputSpec open = closed;
  open.in_reasoning = true;
  expect_rows(open, {{"Hm.\n\n</think>\n\nYes.", "Yes.|Hm.|"},
                     {"<think>\nHm.</think>Yes.", "Yes.|Hm.|"},
                     {"Hm. </thin </think> Yes", "Yes|Hm. </thin|"},
                     {"Hm.", "|Hm.|"},
                     {"</think>Yes", "Yes||"},
                     {"", "||"}});
}

TEST(OutputParser, CountsTheBytesOfReasoning) {
  const OutputSpec spec = spec_of(ToolStyle::kNone, ReasoningStyle::kMarked);
  OutputParser parser(spec);
  ParsedOutput out;
  EXPECT_EQ(parser.reasoning_bytes(), 0);
  parser.push("<think>ab", out);
  EXPECT_TRUE(parser.in_reasoning());
  EXPECT_EQ(parser.reasoning_bytes(), 9);
  parser.push("c</think>\nYes", out);
  EXPECT_FALSE(parser.in_reasoning());
  EXPECT_EQ(parser.reasoning_bytes(), 18);
}

TEST(OutputParser, OneCallEndsIt) {
  OutputSpec spec = spec_of(ToolStyle::kMistral);
  spec.one_call = true;
  OutputParser parser(spec);
  ParsedOutput out;
  parser.push("[TOOL_CALLS][{\"name\": \"f\"}, {\"name\": \"get_weather\"}", out);
  EXPECT_FALSE(parser.done());
  parser.push("] more", out);
  EXPECT_TRUE(parser.done());
  parser.finish(out);
  EXPECT_EQ(show(out), "||f({})");
}

TEST(OutputParser, OneCallEndsWithItsArguments) {
  OutputSpec spec = spec_of(ToolStyle::kHermes);
  spec.one_call = true;
  OutputParser parser(spec);
  ParsedOutput out;
  parser.push("<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": {}", out);
  EXPECT_FALSE(parser.done());
  parser.push("}", out);
  EXPECT_TRUE(parser.done());
  parser.push("} x</tool_call>", out);
  parser.finish(out);
  EXPECT_EQ(show(out), "||f({\"x\": {}})");
  // One that breaks off is the one call, too.
  EXPECT_EQ(show(parse(spec, "<tool_call>{\"name\":\"f\",\"arguments\":{x}}</tool_call> a", 3)), "||f({~");
}

// Where text has a form of its own, what its strings spell is no call.
TEST(OutputParser, CallsAlone) {
  OutputSpec spec = spec_of(ToolStyle::kMistral, ReasoningStyle::kMarked);
  spec.calls_alone = true;
  expect_rows(spec,
              {{" \n[TOOL_CALLS]f{\"x\": 1}[TOOL_CALLS]get_weather{}", "||f({\"x\": 1})get_weather({})"},
               {"<think>a [TOOL_CALLS]f{}</think>\n[TOOL_CALLS]f{}", "|a [TOOL_CALLS]f{}|f({})"},
               {"{\"a\": \"[TOOL_CALLS]f{}\"}", "{\"a\": \"[TOOL_CALLS]f{}\"}||"},
               {"[TOOL_CALLS]g{} [TOOL_CALLS]f{}", "[TOOL_CALLS]g{} [TOOL_CALLS]f{}||"},
               {"[TOOL[TOOL_CALLS]f{}", "[TOOL[TOOL_CALLS]f{}||"},
               {"[1, \"[TOOL_CALLS]f{}\"]", "[1, \"[TOOL_CALLS]f{}\"]||"},
               {"[TOOL", "[TOOL||"}});
  spec.tool_style = ToolStyle::kLlama3Json;
  expect_rows(spec, {{"{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"f\"}", "||f({})f({})"},
                     {"<|python_tag|>{\"name\": \"f\"}", "||f({})"},
                     {"{\"name\": \"g\", \"a\": \"<|python_tag|>{}\"}",
                      "{\"name\": \"g\", \"a\": \"<|python_tag|>{}\"}||"}});
  spec.tool_style = ToolStyle::kPythonic;
  expect_rows(spec, {{"[f(a=True)]", "||f({\"a\": true})"}, {"[true, \"f()\"]", "[true, \"f()\"]||"}});
}

// What clients see of a call while the model still writes it.
TEST(OutputParser, ArgumentsComeAsTheyAreWritten) {
  const OutputSpec spec = spec_of(ToolStyle::kHermes);
  OutputParser parser(spec);
  const auto pieces = [&](std::string_view text) {
    ParsedOutput out;
    parser.push(text, out);
    EXPECT_EQ(out.content, "");
    return out.calls;
  };
  using Pieces = std::vector<CallPiece>;
  EXPECT_EQ(pieces("<tool_call>\n{\"name\": \"f\", \"arguments\": "), (Pieces{}));
  EXPECT_EQ(pieces("{\"x\""), (Pieces{{"f", "{\"x\""}}));
  EXPECT_EQ(pieces(": "), (Pieces{{"", ": "}}));
  const std::string mebibyte(1 << 20, 'a');
  EXPECT_EQ(pieces("\"" + mebibyte), (Pieces{{"", "\"" + mebibyte}}));
  EXPECT_EQ(pieces(mebibyte), (Pieces{{"", mebibyte}})) << "what is told is not held";
  EXPECT_EQ(pieces("\"}}\n</tool"), (Pieces{{"", "\"}", true}}));
  EXPECT_EQ(pieces("_call><tool_call>{\"name\":\"f\"}"), (Pieces{}));
  EXPECT_EQ(pieces("</tool_call>"), (Pieces{{"f", "{}", true}}));
}

TEST(OutputParser, TheNumberOfCallsIsBounded) {
  std::string text;
  const std::string call = "<tool_call>{\"name\":\"f\"}</tool_call>";
  for (int32_t i = 0; i < OutputParser::kMaxCalls; ++i) text += call;
  const ParsedOutput out = parse(spec_of(ToolStyle::kHermes), text + call + " end");
  EXPECT_EQ(out.calls.size(), static_cast<size_t>(OutputParser::kMaxCalls));
  EXPECT_EQ(out.content, call + " end");
  // In an array, those that there is room for have come.
  std::string array = "[TOOL_CALLS][";
  const std::string item = "{\"name\":\"f\",\"arguments\":{}}";
  for (int32_t i = 0; i < OutputParser::kMaxCalls; ++i) array += item + ",";
  const ParsedOutput of_array = parse(spec_of(ToolStyle::kMistral), array + item + "] end");
  EXPECT_EQ(of_array.calls.size(), static_cast<size_t>(OutputParser::kMaxCalls));
  EXPECT_EQ(of_array.content, item + "] end");
}

// What is held back is bounded: a call that is too long is content before it ends.
TEST(OutputParser, TheLengthOfACallIsBounded) {
  const OutputSpec spec = spec_of(ToolStyle::kHermes);
  OutputParser parser(spec);
  ParsedOutput out;
  const std::string begin = "<tool_call>{\"arguments\":{\"x\":\"";  // of what, comes later
  const std::string piece(1 << 16, 'a');
  parser.push(begin, out);
  for (size_t sent = 0; sent < CallMatcher::kMaxCallBytes; sent += piece.size()) parser.push(piece, out);
  EXPECT_GE(out.content.size(), CallMatcher::kMaxCallBytes);
  EXPECT_TRUE(out.content.starts_with(begin));
  const std::string end = "\"},\"name\":\"f\"}</tool_call>";
  parser.push(end, out);
  parser.finish(out);
  EXPECT_TRUE(out.calls.empty());
  EXPECT_TRUE(out.content.ends_with("aaa" + end));
}

TEST(OutputParser, LongWhiteSpaceIsNotHeldBack) {
  for (const ToolStyle style : {ToolStyle::kHermes, ToolStyle::kPythonic, ToolStyle::kLlama3Json}) {
    const OutputSpec spec = spec_of(style, ReasoningStyle::kMarked);
    OutputParser parser(spec);
    ParsedOutput out;
    parser.push(std::string(5000, ' '), out);
    EXPECT_GT(out.content.size(), 4000U);
    parser.finish(out);
    EXPECT_EQ(out.content.size(), 5000U);
  }
}

constexpr ToolStyle kStyles[] = {ToolStyle::kNone,    ToolStyle::kHermes,     ToolStyle::kLlama3Json,
                                 ToolStyle::kMistral, ToolStyle::kDeepseekV3, ToolStyle::kPythonic};
constexpr ReasoningStyle kReasoning[] = {ReasoningStyle::kNone, ReasoningStyle::kFromStart,
                                         ReasoningStyle::kMarked};
// A soup of these has all that parsers look for, whole and in part.
constexpr std::string_view kWords[] = {
    "<tool_call>",
    "</tool_call>",
    "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
    "<|python_tag|>",
    "{\"name\": \"f\", \"parameters\": {}}",
    ";",
    "[TOOL_CALLS]",
    "[TOOL_CALLS]f{\"x\": 2}",
    "[{\"name\": \"f\", \"arguments\": {}}]",
    "[ARGS]",
    "[CALL_ID]",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁call▁begin｜>",
    "function",
    "<｜tool▁sep｜>",
    "f",
    "\n```json\n",
    "{\"x\": 1}",
    "\n```",
    "<｜tool▁call▁end｜>",
    "<｜tool▁calls▁end｜>",
    "[f(a=1), f()]",
    "[f(",
    ")]",
    "<think>",
    "</think>",
    "<",
    "[",
    "{",
    "}",
    "\"",
    "\\",
    " ",
    "\n",
    "a",
    "é",
    "<th",
    "</",
    "[TOOL",
    "{\"name\": \"f\"",
    "f[1]",
    "get_weather",
    "<tool_call>{\"name\": \"f\", \"arguments\": {\"x\": [1, ",
    "[TOOL_CALLS]f{\"x\": \"",
    "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}}, ",
    "{\"name\": \"get_weather\", \"parameters\": {\"y\": {",
    "\"arguments\": {}, ",
    "\"name\": \"f\"}",
    "]",
    ", "};

std::string soup(Rng& rng) {
  std::string text;
  for (uint64_t left = rng.below(12); left > 0; --left) text += kWords[rng.below(std::size(kWords))];
  return text;
}

int rounds() { return long_run() ? 400'000 : 8'000; }

OutputSpec any_spec(Rng& rng) {
  OutputSpec spec =
      spec_of(kStyles[rng.below(std::size(kStyles))], kReasoning[rng.below(std::size(kReasoning))]);
  spec.in_reasoning = spec.reasoning_style != ReasoningStyle::kNone && rng.below(2) == 0;
  spec.one_call = rng.below(4) == 0;
  return spec;
}

TEST(OutputParser, PiecesMakeNoDifference) {
  int called = 0, cut = 0;
  for (int seed = 0; seed < rounds(); ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    const OutputSpec spec = any_spec(rng);
    const std::string text = soup(rng);
    const ParsedOutput whole = parse(spec, text);
    const std::string expected = show(whole);
    ASSERT_EQ(show(parse(spec, text, 1)), expected) << seed << ": " << text;
    ASSERT_EQ(show(parse(spec, text, 9, rng.below(1000))), expected) << seed << ": " << text;
    called += whole.calls.empty() ? 0 : 1;
    for (const CallPiece& call : whole.calls) {
      cut += call.whole ? 0 : 1;
      ASSERT_TRUE(readable_arguments(call.arguments)) << call.arguments;
    }
  }
  EXPECT_GT(cut, rounds() / 100);
  EXPECT_GT(called, rounds() / 50) << "a soup without calls tests little";
}

// Each piece says where in the whole its content stood, and nothing that it called decided comes later.
TEST(OutputParser, ContentStandsWhereItsSpansSay) {
  for (int seed = 0; seed < rounds(); ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    const OutputSpec spec = any_spec(rng);
    const std::string text = soup(rng);
    OutputParser parser(spec);
    int64_t decided = 0, last_end = 0;
    for (size_t at = 0; at <= text.size(); ++at) {
      ParsedOutput out;
      at < text.size() ? parser.push(text.substr(at, 1), out) : parser.finish(out);
      std::string content;
      for (const auto [begin, end] : out.content_spans) {
        ASSERT_LT(begin, end);
        ASSERT_GE(begin, std::max(decided, last_end)) << seed << ": " << text;
        content.append(text, static_cast<size_t>(begin), static_cast<size_t>(end - begin));
        last_end = end;
      }
      ASSERT_EQ(content, out.content) << seed << ": " << text;
      ASSERT_LE(last_end, parser.num_bytes());
      if (at == text.size() || parser.done()) continue;
      ASSERT_GE(parser.num_decided_bytes(), std::max(decided, last_end)) << seed << ": " << text;
      decided = parser.num_decided_bytes();
    }
  }
}

TEST(OutputParser, NothingIsLostWhereNothingParses) {
  for (int seed = 0; seed < rounds(); ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    OutputSpec spec = spec_of(kStyles[rng.below(std::size(kStyles))]);
    spec.tools = {"another"};
    const std::string text = soup(rng);
    ASSERT_EQ(show(parse(spec, text, 5, static_cast<uint64_t>(seed))), text + "||");
  }
}

// Every byte that is no white space is in the content, in the reasoning, or in a mark or a call; a letter
// that no mark and no name has, in the arguments.
TEST(OutputParser, OnlyMarksAndCallsAreTakenOut) {
  const auto letters = [](const std::string& text) { return std::count(text.begin(), text.end(), 'Q'); };
  for (int seed = 0; seed < rounds(); ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    OutputSpec spec = any_spec(rng);
    spec.one_call = false;
    std::string text;  // the letter between the words
    for (uint64_t left = rng.below(8); left > 0; --left)
      text += std::string(kWords[rng.below(std::size(kWords))]) + "Q";
    const ParsedOutput out = parse(spec, text);
    std::ptrdiff_t found = letters(out.content) + letters(out.reasoning);
    for (const CallPiece& call : out.calls) found += letters(call.arguments);
    ASSERT_EQ(found, letters(text)) << seed << ": " << text;
  }
}

TEST(OutputParser, TimeIsLinear) {
  for (const ToolStyle style : kStyles) {
    for (const std::string_view word : kWords) {
      const OutputSpec spec = spec_of(style, ReasoningStyle::kMarked);
      OutputParser parser(spec);
      ParsedOutput out;
      std::string text;
      while (text.size() < 20'000) text += word;
      parser.push(text, out);
      parser.finish(out);
      // Each of at most four patterns takes a byte twice at most, and so does the text itself.
      EXPECT_LE(parser.steps(), 10 * static_cast<int64_t>(text.size())) << word;
    }
  }
}

}  // namespace
}  // namespace quire
