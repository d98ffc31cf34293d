#include "server/requests/chat_request.h"

namespace quire {
namespace {

constexpr FieldSchema kRoleSchema = {.type = "string", .choices = "system|developer|user|assistant|tool"};
// What an answer of this API has empty or not at all, so that it can be sent back as it came.
constexpr std::string_view kNotTaken = "this server takes no such part of a message";

constexpr FieldSchema kEffortSchema = {.type = "string",
                                       .choices = "none|minimal|low|medium|high|xhigh|max"};

Expected<> read_role(const JsonField& field, std::string& role) {
  if (auto checked = check_schema(field.name, field.value, kRoleSchema); !checked) return checked;
  const std::string_view value = field.value.get_string().value_unsafe();
  role = value == "developer" ? "system" : value;  // newer clients' name of what templates call system
  return {};
}

Expected<> read_part_type(const JsonField& field) {
  const auto type = read_string(field);
  if (!type) return std::unexpected(type.error());
  if (*type == "text") return {};
  return fail(ErrorCode::kUnsupported, "the type of a content part must be 'text', but is '{}'",
              excerpt(*type));
}

// {"type": "text", "text": "..."}
std::vector<FieldRule> part_rules(std::string& text) {
  return {{"type", {{.type = "string", .choices = "text"}, read_part_type}, "the kind of the part"},
          {"text", into(text), "", true},
          object_without_effect("cache_control", "of no effect: prompts are cached anyhow")};
}

// A string, or an array of text parts.
Expected<> read_content(const JsonField& field, std::optional<std::string>& content) {
  if (field.value.is_string()) return into(content).read(field);
  JsonArray parts;
  if (field.value.get_array().get(parts) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "content must be a string or an array of parts, but is {}",
                type_name(field.value));
  }
  std::string text;
  const auto rules = part_rules(text), refusal = refusal_rules(text);
  for (const JsonValue part : parts) {
    const auto object = read_object({"a content part", part, field.ignore_unknown});
    if (!object) return std::unexpected(object.error());
    if (auto read = read_fields(*object, is_refusal(*object) ? refusal : rules, "a content part"); !read)
      return read;
    append_part(content, text);
  }
  return {};
}

void write_content_schema(JsonWriter& json) {
  std::string text;
  json.begin_object();
  json.key("anyOf");
  json.begin_array();
  json.raw(R"({"type":"string"})");
  json.begin_object();
  json.field("type", "array");
  json.key("items");
  write_any_of(json, {}, {part_rules(text), refusal_rules(text)});
  json.end_object();
  json.end_array();
  json.end_object();
}

Expected<> read_calls(const JsonField& field, std::vector<MessageToolCall>& calls) {
  auto read = read_message_tool_calls(field);
  if (!read) return std::unexpected(read.error());
  calls = std::move(*read);
  return {};
}

// What its fields must be together.
Expected<> check_message(const ChatMessage& message) {
  if (message.role != "assistant" && (!message.tool_calls.empty() || message.reasoning_content)) {
    return fail(ErrorCode::kInvalidArgument, "{} goes with the role assistant alone",
                message.tool_calls.empty() ? "reasoning" : "tool_calls");
  }
  if (!message.has_content && message.tool_calls.empty()) {
    return fail(ErrorCode::kInvalidArgument, "content is required: a text, or at least one part");
  }
  return {};
}

// What a message says; put together in ChatMessage::content.
struct MessageTexts {
  std::optional<std::string> content, refusal;
};

std::vector<FieldRule> message_rules(ChatMessage& message, MessageTexts& texts) {
  return {
      {"role",
       {kRoleSchema, [&](const JsonField& field) { return read_role(field, message.role); }},
       "whose words they are; developer means system",
       true},
      {"content",
       {{.write = write_content_schema},
        [&](const JsonField& field) { return read_content(field, texts.content); }},
       "a text, or parts that are joined with line breaks; may be missing beside tool_calls"},
      {"name", into(message.name), "for templates that show it"},
      {"tool_call_id", into(message.tool_call_id), "for templates that show it"},
      {"refusal", into(texts.refusal), "a text beside content, or in its place"},
      {"annotations", unsupported(kNotTaken, "[]"), ""},
      {"audio", unsupported(kNotTaken, "[]"), ""},
      {"function_call", unsupported(kNotTaken, "[]"), ""},
      {"tool_calls",
       {{.type = "array"}, [&](const JsonField& field) { return read_calls(field, message.tool_calls); }},
       "what the assistant called"},
      {"reasoning", into(message.reasoning_content), "what the assistant thought"},
      {"reasoning_content", into(message.reasoning_content), "another name of reasoning"},
      object_without_effect("cache_control", "of no effect: prompts are cached anyhow"),
      // LiteLLM's, on the answers that it hands out; it comes back with messages.
      {"provider_specific_fields", no_effect({.type = "object"}), "of no effect"},
      // OpenAI's, on what it has parsed.
      {"parsed", no_effect({.json = "{}"}), "of no effect"}};
}

void write_messages_schema(JsonWriter& json) {
  ChatMessage message;
  MessageTexts texts;
  json.begin_object();
  json.field("type", "array");
  json.field("minItems", 1);
  json.key("items");
  write_object_schema(json, message_rules(message, texts));
  json.end_object();
}

// Alternatives are asked for in two fields; the engine knows one number.
Expected<> combine_logprobs(ChatRequest& request) {
  if (request.top_logprobs.value_or(0) > 0 && !request.logprobs) {
    return fail_param("top_logprobs", "top_logprobs needs logprobs to be true");
  }
  if (request.logprobs) request.sampling.logprobs = request.top_logprobs.value_or(0);
  return {};
}

void add_unsupported_rules(std::vector<FieldRule>& rules) {
  constexpr std::string_view kNoTools = "it was replaced by tools";
  rules.push_back({"functions", unsupported(kNoTools, "[]"), ""});
  rules.push_back({"function_call", unsupported(kNoTools, R"("none")"), ""});
  rules.push_back({"modalities", unsupported("answers are text", R"(["text"])"), "text is all there is"});
  rules.push_back({"audio", unsupported("answers are text"), ""});
  rules.push_back({"web_search_options", unsupported("this server searches nothing"), ""});
  rules.push_back({"moderation", unsupported("this server moderates nothing"), ""});
  rules.push_back({"chat_template", unsupported("the operator sets the template: --chat-template"), ""});
  rules.push_back({"add_special_tokens", unsupported("the template writes special tokens", "false"), ""});
  rules.push_back({"documents", unsupported("say them in a message", "[]"), ""});
}

// What OpenAI's clients may send and what would change no token here.
void add_rules_without_effect(std::vector<FieldRule>& rules) {
  constexpr std::string_view kCacheHint = "of no effect: the prefix cache needs no hints";
  rules.push_back({"metadata", no_effect({.type = "object"}), "of no effect: answers are not kept"});
  rules.push_back({"store", no_effect({.type = "boolean"}), "of no effect: answers are not kept"});
  rules.push_back(
      {"safety_identifier", no_effect({.type = "string"}), "of no effect: API keys say who asks"});
  rules.push_back({"prompt_cache_key", no_effect({.type = "string"}), kCacheHint});
  rules.push_back(
      {"prompt_cache_retention", no_effect({.type = "string", .choices = "in_memory|24h"}), kCacheHint});
  rules.push_back({"prediction", no_effect({.type = "object"}), "of no effect: all is computed"});
  rules.push_back({"prompt_cache_options", no_effect({.type = "object"}), kCacheHint});
  rules.push_back({"service_tier",
                   no_effect({.type = "string", .choices = "auto|default|flex|scale|priority|fast"}),
                   "of no effect: there is one tier; see priority"});
  rules.push_back({"verbosity", no_effect({.type = "string", .choices = "low|medium|high"}),
                   "of no effect: say it in a message"});
}

Expected<> read_messages(const JsonField& field, std::vector<ChatMessage>& messages) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  ChatMessage message;
  MessageTexts texts;
  const auto rules = message_rules(message, texts);
  const auto read_message = [&](JsonValue item) -> Expected<> {
    const auto object = read_object({"a message", item, field.ignore_unknown});
    if (!object) return std::unexpected(object.error());
    message = {};
    texts = {};
    if (auto read = read_fields(*object, rules, "a message"); !read) return read;
    if (texts.refusal && !texts.refusal->empty()) {
      if (message.role != "assistant") {
        return fail(ErrorCode::kInvalidArgument, "refusal goes with the role assistant alone");
      }
      append_part(texts.content, *texts.refusal);
    }
    message.has_content = texts.content.has_value();
    message.content = std::move(texts.content).value_or("");
    return check_message(message);
  };
  for (const JsonValue item : *array) {
    if (auto read = read_message(item); !read) {
      return fail_param(std::string(field.name), "{}[{}]: {}", field.name, messages.size(),
                        read.error().message);
    }
    messages.push_back(std::move(message));
  }
  if (messages.empty()) return fail_param(std::string(field.name), "{} must not be empty", field.name);
  return {};
}

}  // namespace

std::vector<FieldRule> refusal_rules(std::string& text) {
  return {{"type", no_effect({.type = "string", .choices = "refusal"}), {}, true},
          {"refusal", into(text), "a text, as any other", true}};
}

bool is_refusal(const JsonFields& part) {
  std::string_view type;
  return part.object.at_key("type").get_string().get(type) == simdjson::SUCCESS && type == "refusal";
}

void append_part(std::optional<std::string>& text, std::string_view part) {
  if (!text) {
    text.emplace(part);
    return;
  }
  text->append("\n").append(part);
}

FieldReader effort_into(TemplateOptions& rendering) {
  return {kEffortSchema, [&rendering](const JsonField& field) -> Expected<> {
            if (auto checked = check_schema(field.name, field.value, kEffortSchema); !checked)
              return checked;
            rendering.variables.set("reasoning_effort",
                                    Value::string(std::string(field.value.get_string().value_unsafe())));
            return {};
          }};
}

FieldReader messages_into(std::vector<ChatMessage>& messages) {
  return {{.write = write_messages_schema},
          [&messages](const JsonField& field) { return read_messages(field, messages); }};
}

std::vector<FieldRule> chat_rules(ChatRequest& request) {
  std::vector<FieldRule> rules = {
      {"messages", messages_into(request.messages), "the conversation so far, oldest first", true},
      {"echo", into(request.echo),
       "where the last message is the assistant's, answers begin with its text"},
      {"logprobs", into(request.logprobs), "answer with the log-probabilities of the chosen tokens"},
      {"top_logprobs", into(request.top_logprobs, 0, kMaxLogprobs),
       "alternatives beside them; needs logprobs to be true"},
      max_tokens_rule("max_tokens", request, false),
      max_tokens_rule("max_completion_tokens", request, false),
  };
  add_template_rules(rules, request.rendering);
  rules.push_back({"reasoning_effort", effort_into(request.rendering),
                   "given to the chat template, which may make use of it"});
  rules.push_back({"include_reasoning", into(request.include_reasoning),
                   "whether answers show what the model thought before them"});
  add_generation_rules(rules, request, "logprobs");
  add_tool_rules(rules, request.offer);
  add_unsupported_rules(rules);
  add_rules_without_effect(rules);
  return rules;
}

Expected<ChatRequest> read_chat_request(const JsonFields& body) {
  ChatRequest request;
  if (auto read = read_fields(body, chat_rules(request)); !read) return std::unexpected(read.error());
  if (auto checked = check_template_options(request.rendering); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto combined = combine_logprobs(request); !combined) return std::unexpected(combined.error());
  if (auto checked = settle_offer(request.offer); !checked) return std::unexpected(checked.error());
  if (auto checked = check_generation(request); !checked) return std::unexpected(checked.error());
  return request;
}

}  // namespace quire
