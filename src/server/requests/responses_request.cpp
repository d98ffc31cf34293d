#include "server/requests/responses_request.h"

#include <algorithm>

#include "chat/tool_call.h"
#include "server/json/json_writer.h"
#include "server/requests/responses_items.h"
#include "server/requests/sampling_rules.h"
#include "server/requests/structured_output.h"

namespace quire {
namespace {

constexpr size_t kMaxMetadata = 16;
// The value of the member `type`, or nothing.
std::string_view type_of(const JsonFields& fields) {
  std::string_view type;
  return fields.object["type"].get_string().get(type) == simdjson::SUCCESS ? type : std::string_view();
}

// A field that is checked by `read` and then kept as it was written.
FieldRule kept_in(std::string& json, std::string_view name, const FieldSchema& schema,
                  std::string_view help, std::function<Expected<>(const JsonField&)> read) {
  return {name,
          {schema,
           [&json, read = std::move(read)](const JsonField& field) -> Expected<> {
             if (auto checked = read(field); !checked) return checked;
             json = simdjson::minify(field.value);
             return {};
           }},
          help};
}

Expected<> check_metadata(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (object->object.size() > kMaxMetadata) {
    return fail_param("metadata", "metadata takes at most {} members", kMaxMetadata);
  }
  for (const auto member : object->object) {
    if (member.value.is_string()) continue;
    return fail_param("metadata", "each value of metadata must be a string, but one is {}",
                      type_name(member.value));
  }
  return {};
}

std::vector<FieldRule> text_rules_of_responses(std::optional<GrammarSpec>& spec) {
  return {{"format",
           {{.write = write_text_format_schema},
            [&spec](const JsonField& format) { return read_text_format(format, spec); }}},
          {"verbosity", no_effect({.type = "string", .choices = "low|medium|high"})}};
}

Expected<> read_text_options(const JsonField& field, std::optional<GrammarSpec>& spec) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  return read_fields(*object, text_rules_of_responses(spec), "text");
}

std::vector<FieldRule> reasoning_rules(TemplateOptions& rendering) {
  constexpr FieldSchema kSummary = {.type = "string", .choices = "auto|concise|detailed"};
  constexpr std::string_view kWhole = "of no effect: reasoning is answered as it is";
  return {{"effort", effort_into(rendering), "given to the chat template, which may make use of it"},
          {"summary", no_effect(kSummary), kWhole},
          {"generate_summary", no_effect(kSummary), kWhole},
          {"context", no_effect({.type = "string", .choices = "auto|current_turn|all_turns"}),
           "of no effect: which earlier reasoning a model sees is its template's to say"},
          {"mode", no_effect({.type = "string", .choices = "standard|pro"}),
           "of no effect: there is one mode"}};
}

Expected<> read_reasoning(const JsonField& field, TemplateOptions& rendering) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  return read_fields(*object, reasoning_rules(rendering), "reasoning");
}

constexpr std::string_view kLogprobsIncluded = "message.output_text.logprobs";
constexpr FieldSchema kIncludable = {
    .type = "string",
    .choices =
        "message.output_text.logprobs|reasoning.encrypted_content|file_search_call.results|"
        "web_search_call.results|web_search_call.action.sources|message.input_image.image_url|"
        "computer_call_output.output.image_url|code_interpreter_call.outputs"};

// Of what may be asked for beside, only log-probabilities are ever there.
Expected<> read_include(const JsonField& field, ResponsesRequest& request) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  for (const JsonValue item : *array) {
    if (auto checked = check_schema("each of include", item, kIncludable); !checked) {
      return fail_param("include", "{}", checked.error().message);
    }
    request.logprobs |= item.get_string().value_unsafe() == kLogprobsIncluded;
  }
  return {};
}

Expected<> read_truncation(const JsonField& field, ResponsesRequest& request) {
  constexpr FieldSchema kWords = {.type = "string", .choices = "auto|disabled"};
  if (auto checked = check_schema(field.name, field.value, kWords); !checked) return checked;
  request.drops_oldest = field.value.get_string().value_unsafe() == "auto";
  return {};
}

std::vector<FieldRule> response_stream_rules() {
  return {{"include_obfuscation", no_effect({.type = "boolean"}), "of no effect: events are not padded"}};
}

Expected<> read_response_stream_options(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  return read_fields(*object, response_stream_rules(), "stream_options");
}

// {"type": "function", "name", "description", "parameters", "strict"}
std::vector<FieldRule> function_rules(Tool& tool) {
  return {{"type", no_effect({.type = "string", .choices = "function"}), {}, true},
          {"name", into(tool.name), {}, true},
          {"description", into(tool.description)},
          {"parameters",
           {{.type = "object"}, [&tool](const JsonField& schema) { return read_parameters(schema, tool); }},
           "a JSON schema of the type object"},
          {"strict", into(tool.strict), "whether arguments are as the schema has them"},
          {"allowed_callers", unsupported("this server runs no tools", R"(["direct"])")},
          {"defer_loading", unsupported("all tools are shown to the model", "false")},
          {"output_schema", unsupported("chat templates show none")}};
}

Expected<Tool> read_function_tool(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (const std::string_view type = type_of(*object); type != "function") {
    return fail(ErrorCode::kUnsupported, "type must be 'function', but is '{}'", excerpt(type));
  }
  if (has_member(object->object, "function")) {
    return fail(ErrorCode::kInvalidArgument,
                "name, description, parameters and strict stand beside type here, not within function");
  }
  Tool tool;
  if (auto read = read_fields(*object, function_rules(tool), "a tool"); !read)
    return std::unexpected(read.error());
  if (auto named = check_tool_name(tool.name); !named) return std::unexpected(named.error());
  return tool;
}

// {"type": "function", "name": ...}
std::vector<FieldRule> chosen_function_rules(std::string& chosen, bool needs_type) {
  return {{"type", no_effect({.type = "string", .choices = "function"}), {}, needs_type},
          {"name", {kToolNameSchema, into(chosen).read}, {}, true}};
}

void write_allowed_function_schema(JsonWriter& json) {
  std::string chosen;
  write_object_schema(json, chosen_function_rules(chosen, false));
}

Expected<> read_chosen_function(const JsonField& field, std::string& chosen) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  return read_fields(*object, required_later(chosen_function_rules(chosen, true)), "tool_choice");
}

// {"type": "allowed_tools", "mode": ..., "tools": [...]}
std::vector<FieldRule> allowed_function_rules(ToolOffer& offer) {
  return {{"type", no_effect({.type = "string", .choices = "allowed_tools"}), {}, true},
          allowed_mode_rule(offer),
          allowed_tools_rule(offer, read_chosen_function,
                             write_array_schema<write_allowed_function_schema, 1>)};
}

Expected<> read_allowed_functions(const JsonFields& object, ToolOffer& offer) {
  if (auto read = read_fields(object, required_later(allowed_function_rules(offer)), "tool_choice");
      !read) {
    return fail_param("tool_choice", "tool_choice: {}", read.error().message);
  }
  if (!offer.allowed) return fail_param("tool_choice", "tool_choice needs the allowed tools");
  return {};
}

void write_function_choices_schema(JsonWriter& json) {
  ToolOffer offer;
  write_any_of(json, kToolChoiceWords,
               {chosen_function_rules(offer.named, true), allowed_function_rules(offer)});
}

// A word as in chats, or one of the two.
Expected<> read_function_choice(const JsonField& field, ToolOffer& offer) {
  if (!field.value.is_object()) return read_tool_choice_word(field, offer);
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (type_of(*object) == "allowed_tools") return read_allowed_functions(*object, offer);
  if (const std::string_view type = type_of(*object); type != "function") {
    return fail_param("tool_choice", "the type of tool_choice must be 'function', but is '{}'",
                      excerpt(type));
  }
  if (auto read = read_chosen_function(field, offer.named); !read) return read;
  if (offer.named.empty()) return fail_param("tool_choice", "tool_choice needs the function's name");
  offer.choice = ToolChoice::kRequired;
  return {};
}

// Fields of no effect, and those that ask for what is not to be had.
void add_other_rules(std::vector<FieldRule>& rules) {
  constexpr FieldSchema kText = {.type = "string"};
  rules.push_back({"safety_identifier", no_effect(kText), "of no effect: API keys say who asks"});
  constexpr std::string_view kNoHints = "of no effect: the prefix cache needs no hints";
  rules.push_back({"prompt_cache_key", no_effect(kText), kNoHints});
  rules.push_back(
      {"prompt_cache_retention", no_effect({.type = "string", .choices = "in_memory|24h"}), kNoHints});
  rules.push_back({"prompt_cache_options", no_effect({.type = "object"}), kNoHints});
  rules.push_back(
      {"service_tier",
       no_effect({.type = "string", .choices = "auto|default|flex|scale|priority|fast|ultrafast"}),
       "of no effect: there is one tier; see priority"});
  rules.push_back({"max_tool_calls", no_effect({.type = "integer", .min = 1}),
                   "of no effect: it is about tools that a server runs"});
  rules.push_back({"stream_options",
                   {{.write = [](JsonWriter& json) { write_object_schema(json, response_stream_rules()); }},
                    read_response_stream_options},
                   "what a stream has beside"});
  rules.push_back({"client_metadata", no_effect({.type = "object"}), "of no effect"});
  rules.push_back({"background_options", unsupported("there are none here")});
  rules.push_back({"conversation", unsupported("previous_response_id goes on from an answer")});
  rules.push_back({"context_management", unsupported("truncation drops what is too long", "[]")});
  rules.push_back({"prompt", unsupported("prompts are not kept here")});
  rules.push_back({"moderation", unsupported("this server moderates nothing")});
  rules.push_back({"image", unsupported("answers are text")});
  rules.push_back({"access_programs", unsupported("there are none here")});
}

constexpr std::string_view kObject = R"({"type":"object"})";

void write_reasoning_schema(JsonWriter& json) {
  TemplateOptions rendering;
  write_object_schema(json, reasoning_rules(rendering));
}

void write_text_schema(JsonWriter& json) {
  std::optional<GrammarSpec> spec;
  write_object_schema(json, text_rules_of_responses(spec));
}

void write_functions_schema(JsonWriter& json) {
  Tool tool;
  json.begin_object();
  json.field("type", "array");
  json.key("items");
  write_object_schema(json, function_rules(tool));
  json.end_object();
}

// What of the conversation and of the answer's tokens is shown.
void add_scope_rules(std::vector<FieldRule>& rules, ResponsesRequest& request) {
  rules.push_back(
      {"include",
       {{.json = R"({"type":"array","items":{"type":"string"}})"},
        [&request](const JsonField& field) { return read_include(field, request); }},
       "message.output_text.logprobs: the log-probabilities of the answer's tokens; what else OpenAI knows "
       "is never there"});
  rules.push_back({"top_logprobs", into(request.top_logprobs, 0, kMaxLogprobs),
                   "alternatives beside each token; above 0, log-probabilities are there"});
  rules.push_back({"truncation",
                   {{.type = "string", .choices = "auto|disabled"},
                    [&request](const JsonField& field) { return read_truncation(field, request); }},
                   "auto: the oldest turns are left out where the conversation is too long"});
}

// What shapes the answer beside its prompt.
void add_answer_rules(std::vector<FieldRule>& rules, ResponsesRequest& request) {
  ResponsesEcho& echo = request.echo;
  rules.push_back(max_tokens_rule("max_output_tokens", request, false));
  rules.push_back(sampling_rule("temperature", request.sampling));
  rules.push_back(sampling_rule("top_p", request.sampling));
  rules.push_back({"stream", into(request.stream), "answer with server-sent events as tokens come"});
  rules.push_back(kept_in(
      echo.text, "text", {.write = write_text_schema}, "the format of the answer",
      [&request](const JsonField& field) { return read_text_options(field, request.structured_output); }));
  rules.push_back(
      kept_in(echo.reasoning, "reasoning", {.write = write_reasoning_schema}, "how the model is to think",
              [&request](const JsonField& field) { return read_reasoning(field, request.rendering); }));
  rules.push_back(kept_in(echo.tools, "tools", {.write = write_functions_schema},
                          "functions that the model may call", [&request](const JsonField& field) {
                            return read_tools(field, read_function_tool, request.offer.tools);
                          }));
  rules.push_back(
      kept_in(echo.tool_choice, "tool_choice", {.write = write_function_choices_schema},
              "whether it may or must call them, or the one that it must call",
              [&request](const JsonField& field) { return read_function_choice(field, request.offer); }));
  rules.push_back({"parallel_tool_calls", into(request.offer.parallel), "whether it may call several"});
}

}  // namespace

std::vector<FieldRule> responses_rules(ResponsesRequest& request) {
  ResponsesEcho& echo = request.echo;
  std::vector<FieldRule> rules = {
      model_rule(request.model),
      {"input",
       {{.write = write_input_schema},
        [&request](const JsonField& field) {
          return read_input(field, request.find_item, request.messages, request.input_items);
        }},
       "a text, or items: messages, reasoning, function calls and what came of them",
       true},
      {"instructions", into(echo.instructions), "what the model is told before all"},
      {"previous_response_id", into(echo.previous_response_id), "the stored response to go on from"},
      {"store", into(request.store), "whether later requests may go on from this one"},
      {"background", into(request.background),
       "whether it is answered at once and made without the client, who asks for it by its id; needs "
       "store"},
      {"user", into(echo.user), "of no effect: API keys say who asks"},
      kept_in(echo.metadata, "metadata", {.json = kObject},
              "up to 16 pairs of strings, answered as they are", check_metadata),
  };
  add_answer_rules(rules, request);
  add_scope_rules(rules, request);
  add_placing_rules(rules, request);
  add_other_rules(rules);
  return rules;
}

Expected<ResponsesRequest> read_responses_request(const JsonFields& fields, FindItem find_item) {
  ResponsesRequest request;
  request.find_item = std::move(find_item);
  if (auto read = read_fields(fields, responses_rules(request)); !read) {
    return std::unexpected(read.error());
  }
  if (request.top_logprobs.value_or(0) > 0) request.logprobs = true;
  if (request.logprobs) request.sampling.logprobs = request.top_logprobs.value_or(0);
  if (request.messages.empty()) return fail_param("input", "input is required");
  if (auto checked = settle_offer(request.offer); !checked) return std::unexpected(checked.error());
  return request;
}

}  // namespace quire
