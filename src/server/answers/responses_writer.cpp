#include "server/answers/responses_writer.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "server/generation/logprobs_json.h"
#include "server/http/sse.h"
#include "server/json/json_document.h"
#include "server/json/json_writer.h"

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

enum class ItemKind : uint8_t { kReasoning, kMessage, kCall };

// An item of the output.
struct OutputItem {
  ItemKind kind = ItemKind::kMessage;
  std::string text = {};  // of reasoning and messages
  ChoiceCall call = {};   // of calls
  std::string_view status = "completed";
  std::vector<OutputToken> tokens = {};  // of messages, where their log-probabilities are wanted
};

std::string_view id_prefix(ItemKind kind) {
  switch (kind) {
    case ItemKind::kReasoning: return "rs_";
    case ItemKind::kMessage: return "msg_";
    case ItemKind::kCall: break;
  }
  return "fc_";
}

// The one part of a reasoning item or of a message.
void write_part(JsonWriter& json, const AnswerState& state, const OutputItem& item) {
  json.begin_object();
  json.field("type", item.kind == ItemKind::kMessage ? "output_text" : "reasoning_text");
  json.field("text", item.text);
  if (item.kind == ItemKind::kMessage) {
    json.key("annotations");
    json.raw("[]");
    json.key("logprobs");
    write_token_logprobs(json, state.context.tokenizer, item.tokens);
  }
  json.end_object();
}

// What ids of a response's items have after their prefix: the response's own, and where the item is.
constexpr std::string_view kInputMark = "in";

std::string item_suffix(std::string_view response_id, std::string_view mark, size_t index) {
  return fmt::format("{}_{}{}", response_id.substr(kResponseIdPrefix.size()), mark, index);
}

// As they are listed.
void name_input_items(StoredResponse& response) {
  for (size_t i = 0; i < response.input_items.size(); ++i) {
    response.input_items[i] = listed_item(response.input_items[i], item_suffix(response.id, kInputMark, i));
  }
}

constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();

class ResponsesWriter final : public AnswerWriter {
 public:
  explicit ResponsesWriter(ResponsesPlan plan) : plan_(std::move(plan)) {}

  ApiExpected<> write_answer(std::string& out, const AnswerState& state) override {
    write_piece(out, state, state.choices.front());
    out += final_response(state);
    return {};
  }

  void begin_stream(std::string& out, const AnswerState& state) override {
    streams_ = true;
    append_response(out, "response.created", response(state, "in_progress"));
    append_response(out, "response.in_progress", response(state, "in_progress"));
  }

  void write_piece(std::string& out, const AnswerState& state, const ChoiceResult& choice) override {
    std::ranges::copy(choice.content_tokens, std::back_inserter(tokens_));
    if (!choice.reasoning.empty()) append_text(out, state, ItemKind::kReasoning, choice.reasoning);
    choice.in_order(
        [&](std::string_view text, int64_t end) {
          tokens_end_ = end;
          append_text(out, state, ItemKind::kMessage, text);
        },
        [&](const ChoiceCall& call) { append_call(out, state, call); });
    tokens_end_ = kNoEnd;
    if (!choice.ended()) return;
    if (items_.empty()) open_item(out, state, {ItemKind::kMessage});
    close_item(out, state, final_status(state));
  }

  void end_stream(std::string& out, const AnswerState& state) override {
    const std::string_view status = final_status(state);
    const std::string answer = final_response(state);
    append_response(out, status == "completed" ? "response.completed" : "response.incomplete", answer);
  }

  void fail_stream(std::string& out, const AnswerState& state, const ApiError& error) override {
    if (open_) items_.back().status = "incomplete";
    append_response(out, "response.failed", response(state, "failed", &error));
  }

  std::string without_output(const ResponseContext& context, std::string_view status,
                             const ApiError* error) const {
    return response(context, nullptr, status, error);
  }

 private:
  static std::string_view final_status(const AnswerState& state) {
    return state.choices.front().finish_reason == FinishReason::kLength ? "incomplete" : "completed";
  }

  static std::string_view call_status(const ChoiceCall& call) {
    return call.whole ? "completed" : "incomplete";
  }

  std::string item_id(const AnswerState& state, size_t index) const {
    return fmt::format("{}{}", id_prefix(items_[index].kind), item_suffix(state.context.id, {}, index));
  }

  // An event with what `write_members` adds to its type and number.
  template <class WriteMembers>
  void append(std::string& out, std::string_view type, WriteMembers&& write_members) {
    if (!streams_) return;
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

  // An event of the last item, the one that is open.
  template <class WriteMembers>
  void append_of_item(std::string& out, const AnswerState& state, std::string_view type,
                      WriteMembers&& write_members) {
    const size_t index = items_.size() - 1;
    append(out, type, [&](JsonWriter& json) {
      json.field("item_id", item_id(state, index));
      json.field("output_index", index);
      if (items_[index].kind != ItemKind::kCall) json.field("content_index", 0);
      write_members(json);
    });
  }

  void append_item(std::string& out, const AnswerState& state, std::string_view type, bool whole) {
    const size_t index = items_.size() - 1;
    append(out, type, [&](JsonWriter& json) {
      json.field("output_index", index);
      json.key("item");
      write_item(json, state, index, whole);
    });
  }

  void open_item(std::string& out, const AnswerState& state, OutputItem item) {
    if (open_) close_item(out, state, "completed");
    items_.push_back(std::move(item));
    items_.back().status = "in_progress";
    open_ = true;
    append_item(out, state, "response.output_item.added", false);
    if (items_.back().kind == ItemKind::kCall) return;
    append_of_item(out, state, "response.content_part.added", [&](JsonWriter& json) {
      json.key("part");
      write_part(json, state, {items_.back().kind, {}});
    });
  }

  void take_tokens(OutputItem& message) {
    const auto end = std::ranges::find_if(
        tokens_, [this](const OutputToken& token) { return token.text_offset >= tokens_end_; });
    message.tokens.insert(message.tokens.end(), tokens_.begin(), end);
    tokens_.erase(tokens_.begin(), end);
  }

  void append_text(std::string& out, const AnswerState& state, ItemKind kind, std::string_view text) {
    if (!open_ || items_.back().kind != kind) open_item(out, state, {kind});
    OutputItem& item = items_.back();
    item.text += text;
    const bool is_message = kind == ItemKind::kMessage;
    const size_t num_tokens = item.tokens.size();
    if (is_message) take_tokens(item);
    append_of_item(out, state, is_message ? "response.output_text.delta" : "response.reasoning_text.delta",
                   [&](JsonWriter& json) {
                     json.field("delta", text);
                     if (!is_message) return;
                     json.key("logprobs");
                     write_token_logprobs(json, state.context.tokenizer,
                                          std::span(item.tokens).subspan(num_tokens));
                   });
  }

  void append_call(std::string& out, const AnswerState& state, const ChoiceCall& call) {
    if (call.begins()) {
      tokens_end_ = call.begins_at;
      open_item(out, state, {ItemKind::kCall, {}, call});
    } else {
      items_.back().call.arguments += call.arguments;
      items_.back().call.whole = call.whole;
    }
    append_of_item(out, state, "response.function_call_arguments.delta",
                   [&](JsonWriter& json) { json.field("delta", call.arguments); });
    if (call.whole) close_item(out, state, "completed");
  }

  // `status` is not that of a call, which knows whether it is whole.
  void close_item(std::string& out, const AnswerState& state, std::string_view status) {
    if (!std::exchange(open_, false)) return;
    OutputItem& item = items_.back();
    item.status = item.kind == ItemKind::kCall ? call_status(item.call) : status;
    if (item.kind == ItemKind::kCall) {
      append_of_item(out, state, "response.function_call_arguments.done", [&](JsonWriter& json) {
        json.field("name", item.call.name);
        json.field("arguments", item.call.arguments);
      });
    } else {
      const bool is_message = item.kind == ItemKind::kMessage;
      if (is_message) take_tokens(item);
      append_of_item(out, state, is_message ? "response.output_text.done" : "response.reasoning_text.done",
                     [&](JsonWriter& json) {
                       json.field("text", item.text);
                       if (!is_message) return;
                       json.key("logprobs");
                       write_token_logprobs(json, state.context.tokenizer, item.tokens);
                     });
      append_of_item(out, state, "response.content_part.done", [&](JsonWriter& json) {
        json.key("part");
        write_part(json, state, item);
      });
    }
    append_item(out, state, "response.output_item.done", true);
  }

  // Without what it holds, unless `whole`.
  void write_item(JsonWriter& json, const AnswerState& state, size_t index, bool whole) const {
    const OutputItem& item = items_[index];
    json.begin_object();
    json.field("id", item_id(state, index));
    json.field("type", item.kind == ItemKind::kReasoning ? "reasoning"
                       : item.kind == ItemKind::kMessage ? "message"
                                                         : "function_call");
    json.field("status", item.status);
    if (item.kind == ItemKind::kCall) {
      json.field("call_id", item.call.id);
      json.field("name", item.call.name);
      json.field("arguments", whole ? item.call.arguments : std::string());
    } else {
      if (item.kind == ItemKind::kMessage) json.field("role", "assistant");
      if (item.kind == ItemKind::kReasoning) {
        json.key("summary");
        json.raw("[]");
      }
      json.key("content");
      json.begin_array();
      if (whole) write_part(json, state, item);
      json.end_array();
    }
    json.end_object();
  }

  // The whole response as it is now.
  std::string response(const AnswerState& state, std::string_view status,
                       const ApiError* error = nullptr) const {
    return response(state.context, &state, status, error);
  }

  // `state` is null where there is no output.
  std::string response(const ResponseContext& context, const AnswerState* state, std::string_view status,
                       const ApiError* error) const {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.field("id", context.id);
    json.field("object", "response");
    json.field("created_at", context.created);
    json.field("status", status);
    write_outcome(json, status, error);
    json.field("model", context.model);
    json.key("output");
    json.begin_array();
    for (size_t i = 0; i < items_.size(); ++i) write_item(json, *state, i, true);
    json.end_array();
    write_echo(json);
    json.key("usage");
    state == nullptr || status == "in_progress" ? json.null() : write_responses_usage(json, state->usage);
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
          {"tools", echo.tools},
          {"tool_choice", echo.tool_choice}}) {
      json.key(name);
      json.raw(value);
    }
    json.field("parallel_tool_calls", plan_.parallel_tool_calls);
    json.field("top_logprobs", plan_.top_logprobs);
    json.field("truncation", plan_.truncation);
    json.field("background", plan_.background);
  }

  // The whole response at its end, which is kept if it is to be. It says so if it is not for want of room.
  std::string final_response(const AnswerState& state) {
    std::string answer = response(state, final_status(state));
    if (plan_.store == nullptr) return answer;
    StoredResponse& kept = plan_.kept;
    kept.id = state.context.id;
    kept.json = answer;
    kept.conversation.push_back(said());
    kept.background = plan_.background;
    name_input_items(kept);
    if (plan_.store->put(std::move(kept))) return answer;
    plan_.store = nullptr;
    return response(state, final_status(state));
  }

  // The output as a message of the conversation.
  ChatMessage said() const {
    ChatMessage message{.role = "assistant", .content = {}, .has_content = false};
    for (const OutputItem& item : items_) {
      if (item.kind == ItemKind::kReasoning) {
        message.reasoning_content = message.reasoning_content.value_or("") + item.text;
      } else if (item.kind == ItemKind::kMessage) {
        message.content += item.text;
        message.has_content = true;
      } else {
        auto arguments = read_arguments("arguments", item.call.arguments);  // JSON, or the start of it
        message.tool_calls.push_back({item.call.id, item.call.name, item.call.arguments,
                                      arguments ? std::move(*arguments) : Value::object()});
      }
    }
    return message;
  }

  ResponsesPlan plan_;
  std::vector<OutputItem> items_;
  bool streams_ = false;             // else there are no events
  bool open_ = false;                // the last of them goes on
  std::vector<OutputToken> tokens_;  // of content, that no message has yet
  int64_t tokens_end_ = kNoEnd;      // those of the message that is written have a text_offset before it
  int64_t num_events_ = 0;
};

// Of JSON of an object.
std::string_view id_member(JsonObject object) {
  std::string_view id;
  return object.at_key("id").get_string().get(id) == simdjson::SUCCESS ? id : std::string_view();
}

// The item at `index` of the output in `answer`, JSON of a response.
std::optional<std::string> output_item(std::string_view answer, size_t index, std::string_view id) {
  const auto document = JsonDocument::parse(answer);
  JsonArray output;
  JsonObject item;
  if (!document || document->root().at_key("output").get_array().get(output) != simdjson::SUCCESS ||
      output.at(index).get_object().get(item) != simdjson::SUCCESS || id_member(item) != id) {
    return std::nullopt;
  }
  return simdjson::minify(item);
}

}  // namespace

std::optional<std::string> find_stored_item(ResponseStore& store, TenantId tenant, std::string_view id) {
  const size_t begin = id.find('_'), end = id.rfind('_');
  if (begin == std::string_view::npos || begin == end) return std::nullopt;
  std::string_view place = id.substr(end + 1);
  const bool is_input = place.starts_with(kInputMark);
  if (is_input) place.remove_prefix(kInputMark.size());
  size_t index = 0;
  const auto read = std::from_chars(place.data(), place.data() + place.size(), index);
  if (read.ec != std::errc() || read.ptr != place.data() + place.size()) return std::nullopt;
  const auto stored =
      store.get(fmt::format("{}{}", kResponseIdPrefix, id.substr(begin + 1, end - begin - 1)), tenant);
  if (!stored) return std::nullopt;
  if (!is_input) return output_item(stored->json, index, id);
  if (index >= stored->input_items.size()) return std::nullopt;
  const std::string& item = stored->input_items[index];
  const auto document = JsonDocument::parse(item);
  return document && id_member(document->root()) == id ? std::optional(item) : std::nullopt;
}

std::string response_without_output(const ResponsesPlan& plan, const ResponseContext& context,
                                    std::string_view status, const ApiError* error) {
  return ResponsesWriter(plan).without_output(context, status, error);
}

ApiExpected<> keep_unfinished(const ResponsesPlan& plan, const ResponseContext& context) {
  StoredResponse kept = plan.kept;
  kept.id = context.id;
  kept.json = response_without_output(plan, context, "queued");
  kept.background = true;
  kept.finished = false;
  kept.running = true;
  name_input_items(kept);
  if (kept.bytes() > plan.store->max_bytes_running()) {
    return std::unexpected(
        ApiError{400, "the request takes too much room to be kept", "background", {}, 0});
  }
  if (plan.store->put(std::move(kept))) return {};
  return std::unexpected(ApiError{429,
                                  "what is made in the background takes half of the room for stored "
                                  "responses; try again later",
                                  "background", "too_many_background_responses", 5});
}

std::unique_ptr<AnswerWriter> make_responses_writer(ResponsesPlan plan) {
  return std::make_unique<ResponsesWriter>(std::move(plan));
}

}  // namespace quire
