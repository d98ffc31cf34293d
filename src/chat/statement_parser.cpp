#include "chat/statement_parser.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "chat/expression_parser.h"
#include "chat/rendering.h"
#include "chat/token_cursor.h"

namespace quire::jinja {
namespace {

using EndNames = std::initializer_list<std::string_view>;

class StatementParser {
 public:
  StatementParser(std::vector<Token> tokens, int32_t max_depth)
      : cursor_(std::move(tokens), max_depth), expressions_(cursor_) {}

  Expected<Body> run() {
    auto body = parse_body({});
    if (body && !cursor_.is(TokenKind::kEnd)) return cursor_.expected("text or a tag");
    return body;
  }

 private:
  // Statements up to a tag whose name is in `ends`; the cursor then stands on that name. Without `ends`: up
  // to the end of the template.
  Expected<Body> parse_body(EndNames ends);
  // The same, with the tag that ends it, which has nothing but its name.
  Expected<Body> parse_block(std::string_view end);

  Expected<Statement::Node> parse_tag();
  Expected<Statement::Node> parse_if();
  Expected<Statement::Node> parse_for();
  Expected<Statement::Node> parse_set();
  Expected<Statement::Node> parse_with();
  Expected<Statement::Node> parse_macro();
  Expected<Statement::Node> parse_call_block();
  Expected<Statement::Node> parse_filter_block();
  Expected<Statement::Node> parse_group();
  Expected<Statement::Node> parse_loop_jump(bool is_break);

  Expected<std::vector<Parameter>> parse_parameters();
  Expected<> parse_macro_body(Macro& macro, std::string_view end);

  TokenCursor cursor_;
  ExpressionParser expressions_;
  int32_t loops_ = 0;  // that a break would leave
};

Expected<Body> StatementParser::parse_body(EndNames ends) {
  const TokenCursor::Level level(cursor_);
  if (!level.ok()) return cursor_.too_deep();
  Body body;
  while (!cursor_.is(TokenKind::kEnd)) {
    const Position at = cursor_.at();
    if (cursor_.is(TokenKind::kText)) {
      body.push_back({at, Text{cursor_.current().text}});
      cursor_.advance();
    } else if (cursor_.is(TokenKind::kOutputBegin)) {
      cursor_.advance();
      auto value = expressions_.parse_tuple();
      if (!value) return pass(value);
      if (!cursor_.is(TokenKind::kOutputEnd)) return cursor_.expected("'}}'");
      cursor_.advance();
      body.push_back({at, Output{*std::move(value)}});
    } else {
      cursor_.advance();
      if (!cursor_.is(TokenKind::kName)) return cursor_.expected("a tag's name");
      if (std::find(ends.begin(), ends.end(), cursor_.current().text) != ends.end()) return body;
      auto node = parse_tag();
      if (!node) return pass(node);
      body.push_back({at, *std::move(node)});
    }
  }
  if (ends.size() > 0) return cursor_.expected(fmt::format("'{{% {} %}}'", *(ends.end() - 1)));
  return body;
}

Expected<Body> StatementParser::parse_block(std::string_view end) {
  auto body = parse_body({end});
  if (!body) return body;
  cursor_.advance();
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  return body;
}

Expected<Statement::Node> StatementParser::parse_tag() {
  const Position at = cursor_.at();
  const std::string name = cursor_.current().text;
  cursor_.advance();
  if (name == "if") return parse_if();
  if (name == "for") return parse_for();
  if (name == "set") return parse_set();
  if (name == "with") return parse_with();
  if (name == "macro") return parse_macro();
  if (name == "call") return parse_call_block();
  if (name == "filter") return parse_filter_block();
  if (name == "generation") return parse_group();
  if (name == "break") return parse_loop_jump(true);
  if (name == "continue") return parse_loop_jump(false);
  for (const std::string_view file_tag :
       {"include", "import", "from", "extends", "block", "do", "autoescape"}) {
    if (name != file_tag) continue;
    return fail(ErrorCode::kUnsupported, "chat template, {}: '{}' is not supported in chat templates",
                describe(at), name);
  }
  return cursor_.error(at, "unknown tag '{}'", name.substr(0, 40));
}

Expected<Statement::Node> StatementParser::parse_if() {
  If node;
  while (true) {
    auto condition = expressions_.parse_tuple(false);
    if (!condition) return pass(condition);
    if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
    auto body = parse_body({"elif", "else", "endif"});
    if (!body) return pass(body);
    node.branches.emplace_back(*std::move(condition), *std::move(body));
    if (!cursor_.take_name("elif")) break;
  }
  if (cursor_.take_name("else")) {
    if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
    auto otherwise = parse_body({"endif"});
    if (!otherwise) return pass(otherwise);
    node.otherwise = *std::move(otherwise);
  }
  cursor_.advance();
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  return node;
}

Expected<Statement::Node> StatementParser::parse_for() {
  For node;
  auto target = expressions_.parse_target(false, "in");
  if (!target) return pass(target);
  node.target = *std::move(target);
  if (auto ok = cursor_.expect_name("in"); !ok) return pass(ok);
  auto items = expressions_.parse_tuple(false, "recursive");
  if (!items) return pass(items);
  node.items = *std::move(items);
  if (cursor_.take_name("if")) {
    auto condition = expressions_.parse();
    if (!condition) return pass(condition);
    node.condition = *std::move(condition);
  }
  if (cursor_.is_name("recursive")) {
    return fail(ErrorCode::kUnsupported, "chat template, {}: recursive loops are not supported",
                describe(cursor_.at()));
  }
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  ++loops_;
  auto body = parse_body({"else", "endfor"});
  --loops_;
  if (!body) return pass(body);
  node.body = *std::move(body);
  if (cursor_.take_name("else")) {
    if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
    auto otherwise = parse_body({"endfor"});
    if (!otherwise) return pass(otherwise);
    node.otherwise = *std::move(otherwise);
  }
  cursor_.advance();
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  return node;
}

Expected<Statement::Node> StatementParser::parse_set() {
  auto target = expressions_.parse_target(true, {});
  if (!target) return pass(target);
  if (cursor_.take_operator("=")) {
    auto value = expressions_.parse_tuple();
    if (!value) return pass(value);
    if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
    return Set{*std::move(target), *std::move(value)};
  }
  SetBlock node{*std::move(target), nullptr, {}};
  if (cursor_.take_operator("|")) {
    auto filters = expressions_.parse_block_filters();
    if (!filters) return pass(filters);
    node.filters = *std::move(filters);
  }
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  auto body = parse_block("endset");
  if (!body) return pass(body);
  node.body = *std::move(body);
  return node;
}

Expected<Statement::Node> StatementParser::parse_with() {
  With node;
  while (!cursor_.is(TokenKind::kTagEnd)) {
    if (!node.values.empty()) {
      if (auto ok = cursor_.expect_operator(","); !ok) return pass(ok);
    }
    auto target = expressions_.parse_target(false, {});
    if (!target) return pass(target);
    if (auto ok = cursor_.expect_operator("="); !ok) return pass(ok);
    auto value = expressions_.parse();
    if (!value) return pass(value);
    node.values.emplace_back(*std::move(target), *std::move(value));
  }
  cursor_.advance();
  auto body = parse_block("endwith");
  if (!body) return pass(body);
  node.body = *std::move(body);
  return node;
}

Expected<std::vector<Parameter>> StatementParser::parse_parameters() {
  std::vector<Parameter> parameters;
  if (auto ok = cursor_.expect_operator("("); !ok) return pass(ok);
  while (!cursor_.take_operator(")")) {
    if (!parameters.empty()) {
      if (auto ok = cursor_.expect_operator(","); !ok) return pass(ok);
    }
    auto name = cursor_.expect_any_name();
    if (!name) return pass(name);
    Parameter parameter{*std::move(name), nullptr};
    if (cursor_.take_operator("=")) {
      auto fallback = expressions_.parse();
      if (!fallback) return pass(fallback);
      parameter.fallback = *std::move(fallback);
    } else if (!parameters.empty() && parameters.back().fallback) {
      return cursor_.error(cursor_.at(), "a parameter without a default follows one with a default");
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Expected<> StatementParser::parse_macro_body(Macro& macro, std::string_view end) {
  if (auto ok = cursor_.expect_tag_end(); !ok) return ok;
  const ImplicitNames outer = std::exchange(expressions_.implicit_names(), {});
  const int32_t outer_loops = std::exchange(loops_, 0);
  auto body = parse_block(end);
  const ImplicitNames used = std::exchange(expressions_.implicit_names(), outer);
  loops_ = outer_loops;
  if (!body) return pass(body);
  macro.body = *std::move(body);
  macro.uses_varargs = used.varargs;
  macro.uses_kwargs = used.kwargs;
  macro.uses_caller = used.caller;
  return {};
}

Expected<Statement::Node> StatementParser::parse_macro() {
  Macro node;
  auto name = cursor_.expect_any_name();
  if (!name) return pass(name);
  node.name = *std::move(name);
  auto parameters = parse_parameters();
  if (!parameters) return pass(parameters);
  node.parameters = *std::move(parameters);
  if (auto ok = parse_macro_body(node, "endmacro"); !ok) return pass(ok);
  return node;
}

Expected<Statement::Node> StatementParser::parse_call_block() {
  CallBlock node;
  node.caller.name = "caller";
  if (cursor_.is_operator("(")) {
    auto parameters = parse_parameters();
    if (!parameters) return pass(parameters);
    node.caller.parameters = *std::move(parameters);
  }
  const Position at = cursor_.at();
  auto call = expressions_.parse();
  if (!call) return pass(call);
  if (!std::holds_alternative<Call>((*call)->node)) return cursor_.error(at, "expected a call");
  node.call = *std::move(call);
  // A caller within the block is one of its own macro's, and says nothing about the macro around it.
  if (auto ok = parse_macro_body(node.caller, "endcall"); !ok) return pass(ok);
  return node;
}

Expected<Statement::Node> StatementParser::parse_filter_block() {
  FilterBlock node;
  auto filters = expressions_.parse_block_filters();
  if (!filters) return pass(filters);
  node.filters = *std::move(filters);
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  auto body = parse_block("endfilter");
  if (!body) return pass(body);
  node.body = *std::move(body);
  return node;
}

Expected<Statement::Node> StatementParser::parse_group() {
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  auto body = parse_block("endgeneration");
  if (!body) return pass(body);
  return Group{*std::move(body)};
}

Expected<Statement::Node> StatementParser::parse_loop_jump(bool is_break) {
  if (loops_ == 0) return cursor_.error(cursor_.at(), "this tag is only for the inside of a loop");
  if (auto ok = cursor_.expect_tag_end(); !ok) return pass(ok);
  if (is_break) return Break{};
  return Continue{};
}

}  // namespace

Expected<Body> parse_template(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > static_cast<size_t>(limits.max_source_bytes)) {
    return fail(ErrorCode::kResourceExhausted, "a chat template of {} bytes; at most {} are read",
                source.size(), limits.max_source_bytes);
  }
  auto tokens = tokenize(source);
  if (!tokens) return pass(tokens);
  return StatementParser(*std::move(tokens), limits.max_depth).run();
}

}  // namespace quire::jinja
