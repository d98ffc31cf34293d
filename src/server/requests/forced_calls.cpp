#include "server/requests/forced_calls.h"

#include <algorithm>
#include <string>

#include "server/json/json_writer.h"

namespace quire {
namespace {

// xgrammar's structural tags: grammar/structural_tag.h.
class TagWriter {
 public:
  TagWriter(ToolStyle style, const ToolOffer& offer) : style_(style), offer_(offer), json_(text_) {}

  // `free_text`: calls may come, but need not.
  std::string write(bool free_text) {
    json_.begin_object();
    json_.field("type", "structural_tag");
    json_.key("format");
    json_.begin_object();
    json_.field("type", "sequence");
    json_.key("elements");
    json_.begin_array();
    write_row(free_text);
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

  void write_row(bool free_text) {
    const CallFrame frame = *call_frame(style_, offer_.tools.front().name);
    if (!free_text) constant(frame.row_begin);
    json_.begin_object();
    json_.field("type", free_text ? "triggered_tags" : "tags_with_separator");
    if (free_text) {
      json_.key("triggers");
      json_.begin_array();
      json_.string(frame.trigger);
      json_.end_array();
    } else {
      json_.field("separator", frame.separator);
      json_.field("at_least_one", true);
    }
    json_.key("tags");
    json_.begin_array();
    for (const Tool& tool : offer_.tools) {
      if (offer_.named.empty() || tool.name == offer_.named) write_tag(tool);
    }
    json_.end_array();
    json_.field("stop_after_first", !offer_.parallel || !offer_.named.empty());
    json_.end_object();
    if (!free_text) constant(frame.row_end);
  }

  void write_tag(const Tool& tool) {
    const CallFrame frame = *call_frame(style_, tool.name);
    const bool checked = tool.strict || offer_.forced();
    json_.begin_object();
    json_.field("type", "tag");
    json_.field("begin", frame.begin);
    json_.key("content");
    json_.begin_object();
    json_.field("type", "json_schema");
    json_.key("json_schema");
    json_.raw(checked && !tool.parameters_json.empty() ? tool.parameters_json : R"({"type":"object"})");
    json_.end_object();
    json_.field("end", frame.end);
    json_.end_object();
  }

  const ToolStyle style_;
  const ToolOffer& offer_;
  std::string text_;
  JsonWriter json_;
};

}  // namespace

Expected<std::optional<GrammarSpec>> call_grammar(const ModelOutput& output, const ToolOffer& offer) {
  const bool strict = std::ranges::any_of(offer.tools, &Tool::strict);
  if (!offer.callable() || (!offer.forced() && !strict)) return std::nullopt;
  const std::string field = offer.forced() ? "tool_choice" : "tools";
  const auto frame = call_frame(output.tool_style, offer.tools.front().name);
  const bool can_trigger = frame && !frame->trigger.empty() && output.marker_tokens.empty();
  if (!frame || (!offer.forced() && !can_trigger)) {
    return fail_param(field, "{} is not supported with the way this model writes calls",
                      offer.forced() ? "a forced call" : "strict");
  }
  return GrammarSpec{.kind = GrammarKind::kStructuralTag,
                     .text = TagWriter(output.tool_style, offer).write(!offer.forced()),
                     .field = field};
}

}  // namespace quire
