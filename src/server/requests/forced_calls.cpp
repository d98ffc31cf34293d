#include "server/requests/forced_calls.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "grammar/grammar_compiler.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

// xgrammar's structural tags: grammar/structural_tag.h.
class TagWriter {
 public:
  TagWriter(ToolStyle style, const ToolOffer& offer)
      : style_(style), offer_(offer), frame_(*call_frame(style, offer.tools.front().name)), json_(text_) {}

  enum class Text : uint8_t { kNone, kElsewhere, kFree };

  // kNone: calls must come. kElsewhere: what may come in their place is written elsewhere. kFree: any text,
  // with calls in it.
  std::string write(Text text) {
    json_.begin_object();
    json_.field("type", "structural_tag");
    json_.key("format");
    json_.begin_object();
    json_.field("type", "sequence");
    json_.key("elements");
    json_.begin_array();
    if (text == Text::kNone) write_row(false);
    if (text == Text::kElsewhere) write_row_at_start();
    if (text == Text::kFree) write_free_text();
    json_.end_array();
    json_.end_object();
    json_.end_object();
    return std::move(text_);
  }

 private:
  void constant(std::string_view text) {
    if (text.empty()) return;
    json_.begin_object();
    json_.field("type", "const_string");
    json_.field("value", text);
    json_.end_object();
  }

  // Calls, and nothing else. `wrapped`: what the row stands in is written elsewhere.
  void write_row(bool wrapped) {
    if (!wrapped) constant(frame_.row_begin);
    json_.begin_object();
    json_.field("type", "tags_with_separator");
    json_.field("separator", frame_.separator);
    json_.field("at_least_one", true);
    write_tags();
    json_.field("stop_after_first", one_call());
    json_.end_object();
    if (!wrapped) constant(frame_.row_end);
  }

  // Text in which calls may come.
  void write_free_text() {
    if (!frame_.at_start) return write_triggered();
    // At the start a call is told by its bracket, so that text begins with something else; elsewhere by the
    // trigger, if there is one, after which calls go on to the end.
    const bool has_trigger = !frame_.trigger.empty();
    write_list("or", [&] {
      write_list("sequence", [&] { write_row(false); });
      if (has_trigger) write_row_after_trigger();
      write_list("sequence", [&] {
        write_object([&] {
          json_.field("type", "regex");
          json_.field("pattern", "[^{\\[< \\t\\r\\n]");
        });
        write_text_before_trigger();
        if (has_trigger) write_optional_row_after_trigger();
      });
    });
  }

  void write_text_before_trigger() {
    write_object([&] {
      json_.field("type", "any_text");
      if (frame_.trigger.empty()) return;
      json_.key("excludes");
      write_array([&] { json_.string(frame_.trigger); });
    });
  }

  void write_optional_row_after_trigger() {
    write_object([&] {
      json_.field("type", "optional");
      json_.key("content");
      write_row_after_trigger();
    });
  }

  // With or without the trigger, if it may be left out.
  void write_row_at_start() {
    if (!frame_.at_start || frame_.trigger.empty()) return write_row(false);
    write_list("or", [&] {
      write_list("sequence", [&] { write_row(false); });
      write_row_after_trigger();
    });
  }

  void write_row_after_trigger() {
    write_list("sequence", [&] {
      constant(frame_.trigger);
      write_row(true);
    });
  }

  // Text with calls, or rows of them with what they stand in, after the trigger.
  void write_triggered() {
    write_object([&] {
      json_.field("type", "triggered_tags");
      json_.key("triggers");
      write_array([&] { json_.string(frame_.trigger); });
      if (frame_.row_begin.empty()) {
        write_tags();
      } else {
        json_.key("tags");
        write_array([&] { write_row_tag(); });
      }
      json_.field("stop_after_first", one_call());
    });
  }

  void write_row_tag() {
    write_object([&] {
      json_.field("type", "tag");
      json_.field("begin", frame_.row_begin);
      json_.key("content");
      write_row(true);
      json_.field("end", frame_.row_end);
    });
  }

  // A format of `type` made of others.
  template <class WriteElements>
  void write_list(std::string_view type, WriteElements&& write_elements) {
    write_object([&] {
      json_.field("type", type);
      json_.key("elements");
      write_array(write_elements);
    });
  }

  template <class WriteMembers>
  void write_object(WriteMembers&& write_members) {
    json_.begin_object();
    write_members();
    json_.end_object();
  }

  template <class WriteItems>
  void write_array(WriteItems&& write_items) {
    json_.begin_array();
    write_items();
    json_.end_array();
  }

  void write_tags() {
    json_.key("tags");
    json_.begin_array();
    for (const Tool& tool : offer_.tools) {
      if (offer_.named.empty() || tool.name == offer_.named) write_tag(tool);
    }
    json_.end_array();
  }

  bool one_call() const { return !offer_.parallel || !offer_.named.empty(); }

  void write_tag(const Tool& tool) {
    const CallFrame frame = *call_frame(style_, tool.name);
    const bool checked = tool.strict || offer_.forced();
    json_.begin_object();
    json_.field("type", "tag");
    json_.field("begin", frame.begin);
    json_.key("content");
    json_.begin_object();
    json_.field("type", "json_schema");
    if (frame.python) json_.field("style", "python_arguments");
    if (checked && !tool.strict) json_.field("strict", false);
    json_.key("json_schema");
    json_.raw(checked && !tool.parameters_json.empty() ? tool.parameters_json : R"({"type":"object"})");
    json_.end_object();
    json_.field("end", frame.end);
    json_.end_object();
  }

  const ToolStyle style_;
  const ToolOffer& offer_;
  const CallFrame frame_;  // of the row, and of a call of the first tool
  std::string text_;
  JsonWriter json_;
};

// Calls that are forced or kept to a schema, beside the form of the text.
Expected<> check_beside(const std::string& field, const GrammarSpec& form) {
  if (form.kind == GrammarKind::kStructuralTag) {
    return fail_param(
        field,
        "{} asks for calls by a schema, which cannot be used together with a structural tag in "
        "{}: that says itself which calls there may be",
        field, form.field);
  }
  const auto source = GrammarCompiler::source(form);
  return source ? Expected<>() : std::unexpected(source.error());
}

}  // namespace

Expected<std::optional<GrammarSpec>> call_grammar(const ModelOutput& output, const ToolOffer& offer,
                                                  std::optional<GrammarSpec> form) {
  if (!offer.callable()) return form;
  const bool sees_to = offer.forced() || std::ranges::any_of(offer.tools, &Tool::strict);
  const bool has_style = call_frame(output.tool_style, offer.tools.front().name).has_value();
  const std::string field = offer.forced() ? "tool_choice" : "tools";
  if (sees_to && !has_style) {
    return fail_param(field, "{} is not supported with the way this model writes calls ({})",
                      offer.forced() ? "a forced call" : "strict", style_name(output.tool_style));
  }
  if (sees_to && form) {
    if (auto checked = check_beside(field, *form); !checked) return std::unexpected(checked.error());
  }
  using Text = TagWriter::Text;
  const auto tag = [&](Text text) { return TagWriter(output.tool_style, offer).write(text); };
  if (form && !offer.forced()) {
    const bool has_calls = has_style && form->kind != GrammarKind::kStructuralTag;
    if (has_calls) form->calls = CallsInPlace{tag(Text::kElsewhere), field};
    return form;
  }
  if (!sees_to) return std::nullopt;
  return GrammarSpec{.kind = GrammarKind::kToolCalls,
                     .text = tag(offer.forced() ? Text::kNone : Text::kFree),
                     .field = field};
}

}  // namespace quire
