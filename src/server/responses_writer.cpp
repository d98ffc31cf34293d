#include "server/responses_writer.h"

#include <utility>

#include "server/json_writer.h"
#include "server/sse.h"

namespace quire {
namespace {

void write_optional(JsonWriter& json, std::string_view name, const std::optional<std::string>& text) {
  text ? json.field(name, *text) : json.null_field(name);
}

void write_responses_usage(JsonWriter& json, const Usage& usage) {
  json.begin_object();
  json.field("input_tokens", usage.prompt_tokens);
  json.key("input_tokens_details");
  json.begin_object();
  json.field("cached_tokens", usage.cached_tokens);
  json.end_object();
  json.field("output_tokens", usage.completion_tokens);
  json.key("output_tokens_details");
  json.begin_object();
  json.field("reasoning_tokens", usage.reasoning_tokens);
  json.end_object();
  json.field("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  json.end_object();
}

void write_text_part(JsonWriter& json, std::string_view text) {
  json.begin_object();
  json.field("type", "output_text");
  json.field("text", text);
  json.key("annotations");
  json.raw("[]");
  json.key("logprobs");
  json.raw("[]");
  json.end_object();
}

class ResponsesWriter final : public AnswerWriter {
 public:
  explicit ResponsesWriter(ResponsesPlan plan) : plan_(std::move(plan)) {}

  ApiExpected<> write_answer(std::string& out, const AnswerState& state) override {
    text_ = state.choices.front().text;
    has_message_ = true;
    const std::string answer = response(state, final_status(state));
    keep(state, answer);
    out += answer;
    return {};
  }

  void begin_stream(std::string& out, const AnswerState& state) override {
    append_response(out, "response.created", response(state, "in_progress"));
    append_response(out, "response.in_progress", response(state, "in_progress"));
  }

  void write_piece(std::string& out, const AnswerState& state, const ChoiceResult& choice) override {
    if (!has_message_) begin_message(out, state);
    if (!choice.text.empty()) {
      text_ += choice.text;
      append(out, "response.output_text.delta", [&](JsonWriter& json) {
        write_place(json, state);
        json.field("delta", choice.text);
        json.key("logprobs");
        json.raw("[]");
      });
    }
    if (choice.ended()) end_message(out, state);
  }

  void end_stream(std::string& out, const AnswerState& state) override {
    const std::string_view status = final_status(state);
    const std::string answer = response(state, status);
    keep(state, answer);
    append_response(out, status == "completed" ? "response.completed" : "response.incomplete", answer);
  }

  void fail_stream(std::string& out, const AnswerState& state, const ApiError& error) override {
    append_response(out, "response.failed", response(state, "failed", &error));
  }

 private:
  static std::string_view final_status(const AnswerState& state) {
    return state.choices.front().finish_reason == FinishReason::kLength ? "incomplete" : "completed";
  }

  static std::string item_id(const AnswerState& state) {
    return "msg_" + state.context.id.substr(kResponseIdPrefix.size());
  }

  // An event with what `write_members` adds to its type and number.
  template <class WriteMembers>
  void append(std::string& out, std::string_view type, WriteMembers&& write_members) {
    std::string data;
    JsonWriter json(data);
    json.begin_object();
    json.field("type", type);
    json.field("sequence_number", num_events_++);
    write_members(json);
    json.end_object();
    append_named_event(out, type, data);
  }

  void append_response(std::string& out, std::string_view type, std::string_view answer) {
    append(out, type, [&](JsonWriter& json) {
      json.key("response");
      json.raw(answer);
    });
  }

  // Where a piece of text belongs: there is one item with one part.
  static void write_place(JsonWriter& json, const AnswerState& state) {
    json.field("item_id", item_id(state));
    json.field("output_index", 0);
    json.field("content_index", 0);
  }

  void begin_message(std::string& out, const AnswerState& state) {
    append(out, "response.output_item.added", [&](JsonWriter& json) {
      json.field("output_index", 0);
      json.key("item");
      write_item(json, state, "in_progress", false);
    });
    append(out, "response.content_part.added", [&](JsonWriter& json) {
      write_place(json, state);
      json.key("part");
      write_text_part(json, {});
    });
    has_message_ = true;
  }

  void end_message(std::string& out, const AnswerState& state) {
    append(out, "response.output_text.done", [&](JsonWriter& json) {
      write_place(json, state);
      json.field("text", text_);
      json.key("logprobs");
      json.raw("[]");
    });
    append(out, "response.content_part.done", [&](JsonWriter& json) {
      write_place(json, state);
      json.key("part");
      write_text_part(json, text_);
    });
    append(out, "response.output_item.done", [&](JsonWriter& json) {
      json.field("output_index", 0);
      json.key("item");
      write_item(json, state, final_status(state), true);
    });
  }

  void write_item(JsonWriter& json, const AnswerState& state, std::string_view status,
                  bool with_text) const {
    json.begin_object();
    json.field("id", item_id(state));
    json.field("type", "message");
    json.field("status", status);
    json.field("role", "assistant");
    json.key("content");
    json.begin_array();
    if (with_text) write_text_part(json, text_);
    json.end_array();
    json.end_object();
  }

  // The whole response as it is now.
  std::string response(const AnswerState& state, std::string_view status,
                       const ApiError* error = nullptr) const {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.field("id", state.context.id);
    json.field("object", "response");
    json.field("created_at", state.context.created);
    json.field("status", status);
    write_outcome(json, status, error);
    json.field("model", state.context.model);
    json.key("output");
    json.begin_array();
    if (has_message_) write_item(json, state, status == "failed" ? "incomplete" : status, true);
    json.end_array();
    write_echo(json);
    json.key("usage");
    status == "in_progress" ? json.null() : write_responses_usage(json, state.usage);
    json.end_object();
    return out;
  }

  static void write_outcome(JsonWriter& json, std::string_view status, const ApiError* error) {
    json.key("error");
    if (error != nullptr) {
      json.begin_object();
      json.field("code", "server_error");
      json.field("message", error->message);
      json.end_object();
    } else {
      json.null();
    }
    json.key("incomplete_details");
    json.raw(status == "incomplete" ? R"({"reason":"max_output_tokens"})" : "null");
  }

  void write_echo(JsonWriter& json) const {
    const ResponsesEcho& echo = plan_.echo;
    write_optional(json, "instructions", echo.instructions);
    write_optional(json, "previous_response_id", echo.previous_response_id);
    write_optional(json, "user", echo.user);
    json.key("max_output_tokens");
    plan_.max_output_tokens ? json.integer(*plan_.max_output_tokens) : json.null();
    json.field("temperature", plan_.temperature);
    json.field("top_p", plan_.top_p);
    json.field("store", plan_.store != nullptr);
    for (const auto& [name, value] :
         {std::pair<std::string_view, std::string_view>{"metadata", echo.metadata},
          {"reasoning", echo.reasoning},
          {"text", echo.text},
          {"tools", "[]"},
          {"tool_choice", R"("auto")"}}) {
      json.key(name);
      json.raw(value);
    }
    json.field("parallel_tool_calls", true);
    json.field("truncation", "disabled");
    json.field("background", false);
  }

  void keep(const AnswerState& state, const std::string& answer) {
    if (plan_.store == nullptr) return;
    StoredResponse& kept = plan_.kept;
    kept.id = state.context.id;
    kept.json = answer;
    kept.conversation.push_back({.role = "assistant", .content = text_});
    plan_.store->put(std::move(kept));
  }

  ResponsesPlan plan_;
  std::string text_;          // of the message so far
  bool has_message_ = false;  // it has begun
  int64_t num_events_ = 0;
};

}  // namespace

std::unique_ptr<AnswerWriter> make_responses_writer(ResponsesPlan plan) {
  return std::make_unique<ResponsesWriter>(std::move(plan));
}

}  // namespace quire
