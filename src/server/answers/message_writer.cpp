#include "server/answers/message_writer.h"

#include <cstdint>
#include <string_view>

#include "chat/call_arguments.h"
#include "server/http/sse.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

std::string_view stop_reason(const ChoiceResult& choice) {
  if (choice.finish_reason == FinishReason::kLength) return "max_tokens";
  if (choice.stopped_for_calls()) return "tool_use";
  return std::holds_alternative<std::string>(choice.stop_reason) ? "stop_sequence" : "end_turn";
}

void write_stop(JsonWriter& json, const ChoiceResult& choice) {
  if (!choice.ended()) {
    json.null_field("stop_reason");
    json.null_field("stop_sequence");
    return;
  }
  json.field("stop_reason", stop_reason(choice));
  if (const auto* text = std::get_if<std::string>(&choice.stop_reason)) {
    json.field("stop_sequence", *text);
  } else {
    json.null_field("stop_sequence");
  }
}

// Tokens of the prompt that the prefix cache had are not among input_tokens.
void write_message_usage(JsonWriter& json, const Usage& usage) {
  json.key("usage");
  json.begin_object();
  json.field("input_tokens", usage.prompt_tokens - usage.cached_tokens);
  json.field("cache_creation_input_tokens", 0);
  json.field("cache_read_input_tokens", usage.cached_tokens);
  json.field("output_tokens", usage.completion_tokens);
  json.end_object();
}

// The message, with what `write_content` puts into its content.
template <class WriteContent>
void write_message(JsonWriter& json, const AnswerState& state, WriteContent&& write_content) {
  json.begin_object();
  json.field("id", state.context.id);
  json.field("type", "message");
  json.field("role", "assistant");
  json.field("model", state.context.model);
  json.key("content");
  json.begin_array();
  write_content();
  json.end_array();
  write_stop(json, state.choices.front());
  write_message_usage(json, state.usage);
  json.end_object();
}

// A content block of `type`, with `text` as its `member`.
void write_block(JsonWriter& json, std::string_view type, std::string_view member, std::string_view text) {
  json.begin_object();
  json.field("type", type);
  json.field(member, text);
  if (type == "thinking") json.field("signature", "");  // there is nobody to check one
  json.end_object();
}

// A call, with `input`, JSON of an object.
void write_call_block(JsonWriter& json, const ChoiceCall& call, std::string_view input) {
  json.begin_object();
  json.field("type", "tool_use");
  json.field("id", call.id);
  json.field("name", call.name);
  json.key("input");
  json.raw(input);
  json.end_object();
}

// An event whose data has a member `type` with its name, and what `write_members` adds.
template <class WriteMembers>
void append_typed_event(std::string& out, std::string_view type, WriteMembers&& write_members) {
  std::string data;
  JsonWriter json(data);
  json.begin_object();
  json.field("type", type);
  write_members(json);
  json.end_object();
  append_named_event(out, type, data);
}

class MessageWriter final : public AnswerWriter {
 public:
  ApiExpected<> write_answer(std::string& out, const AnswerState& state) override {
    JsonWriter json(out);
    const ChoiceResult& choice = state.choices.front();
    write_message(json, state, [&] {
      if (!choice.reasoning.empty()) write_block(json, "thinking", "thinking", choice.reasoning);
      choice.in_order([&](std::string_view text, int64_t) { write_block(json, "text", "text", text); },
                      [&](const ChoiceCall& call) {
                        write_call_block(json, call, readable_arguments(call.arguments).value_or("{}"));
                      });
    });
    return {};
  }

  void begin_stream(std::string& out, const AnswerState& state) override {
    append_typed_event(out, "message_start", [&](JsonWriter& json) {
      json.key("message");
      // A piece may be there already, even the last one: the message begins before it.
      const ChoiceResult nothing;
      write_message(json, {state.context, {&nothing, 1}, state.generation, state.usage}, [] {});
    });
    append_typed_event(out, "ping", [](JsonWriter&) {});
  }

  void write_piece(std::string& out, const AnswerState& state, const ChoiceResult& choice) override {
    if (!choice.reasoning.empty()) {
      open_block(out, "thinking", "thinking");
      append_delta(out, "thinking_delta", "thinking", choice.reasoning);
    }
    const auto write_text = [&](std::string_view text, int64_t) {
      open_block(out, "text", "text");
      append_delta(out, "text_delta", "text", text);
    };
    choice.in_order(write_text, [&](const ChoiceCall& call) { write_call(out, call); });
    if (!choice.ended()) return;
    close_block(out);
    append_typed_event(out, "message_delta", [&](JsonWriter& json) {
      json.key("delta");
      json.begin_object();
      write_stop(json, choice);
      json.end_object();
      write_message_usage(json, state.usage);
    });
  }

  void end_stream(std::string& out, const AnswerState&) override {
    append_typed_event(out, "message_stop", [](JsonWriter&) {});
  }

  void fail_stream(std::string& out, const AnswerState&, const ApiError& error) override {
    append_named_event(out, "error", to_json(error, ErrorShape::kAnthropic));
  }

 private:
  // A block of `type` is open, with an empty `member`.
  void open_block(std::string& out, std::string_view type, std::string_view member) {
    if (open_type_ == type) return;
    close_block(out);
    open_type_ = type;
    append_typed_event(out, "content_block_start", [&](JsonWriter& json) {
      json.field("index", num_blocks_);
      json.key("content_block");
      write_block(json, type, member, {});
    });
  }

  void append_delta(std::string& out, std::string_view type, std::string_view member,
                    std::string_view text) {
    append_typed_event(out, "content_block_delta", [&](JsonWriter& json) {
      json.field("index", num_blocks_);
      json.key("delta");
      json.begin_object();
      json.field("type", type);
      json.field(member, text);
      json.end_object();
    });
  }

  // A call is a block of its own.
  void write_call(std::string& out, const ChoiceCall& call) {
    if (call.begins()) {
      close_block(out);
      open_type_ = "tool_use";
      append_typed_event(out, "content_block_start", [&](JsonWriter& json) {
        json.field("index", num_blocks_);
        json.key("content_block");
        write_call_block(json, call, "{}");
      });
    }
    append_delta(out, "input_json_delta", "partial_json", call.arguments);
    if (call.whole) close_block(out);
  }

  void close_block(std::string& out) {
    if (open_type_.empty()) return;
    append_typed_event(out, "content_block_stop",
                       [&](JsonWriter& json) { json.field("index", num_blocks_); });
    open_type_ = {};
    ++num_blocks_;
  }

  int32_t num_blocks_ = 0;      // that are closed; the index of the open one
  std::string_view open_type_;  // empty: none is open
};

}  // namespace

std::unique_ptr<AnswerWriter> make_message_writer() { return std::make_unique<MessageWriter>(); }

}  // namespace quire
