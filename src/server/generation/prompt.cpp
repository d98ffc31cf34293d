#include "server/generation/prompt.h"

#include <algorithm>

#include "base/check.h"
#include "server/requests/forced_calls.h"

namespace quire {
namespace {

std::unexpected<Error> context_exceeded(std::string_view param, std::string message) {
  return std::unexpected(Error{ErrorCode::kContextExceeded, std::move(message), std::string(param)});
}

// Clients know this error by words as well: "prompt is too long" (LangChain), "this model's maximum context
// length is" (LiteLLM).
std::unexpected<Error> too_long(std::string_view param, const ServedModel& model, std::string_view least,
                                size_t tokens) {
  return context_exceeded(
      param,
      fmt::format("the prompt is too long: it has {}{} tokens, but the context holds {} (this model's "
                  "maximum context length is {} tokens, prompt and output)",
                  least, tokens, model.max_model_len(), model.max_model_len()));
}

// Tokenizing takes time in proportion to the text, so one that is far too long is refused by its length.
Expected<> check_text_length(std::string_view param, const ServedModel& model, size_t bytes) {
  const size_t at_least = bytes / model.longest_token_bytes;
  if (at_least <= static_cast<size_t>(model.max_model_len())) return {};
  return too_long(param, model, "at least ", at_least);
}

Expected<std::vector<TokenId>> tokenize_prompt(const ServedModel& model, CompletionRequest::Prompt& prompt,
                                               bool add_special_tokens, bool truncates) {
  if (auto* ids = std::get_if<std::vector<TokenId>>(&prompt)) {
    if (auto checked = check_token_ids("prompt", model, *ids); !checked)
      return std::unexpected(checked.error());
    return std::move(*ids);
  }
  const auto& text = std::get<std::string>(prompt);
  if (auto checked = check_text_length("prompt", model, text.size()); !checked && !truncates) {
    return std::unexpected(checked.error());
  }
  return tokenize_text(model, text, add_special_tokens, true);
}

// How many tokens each of n continuations of a prompt can have in the whole pool, beside what is pinned:
// they share the prompt's full blocks, and the last token of each needs no slot. What the engine checks, the
// other way round.
int64_t pool_leaves(const LLMEngine& engine, const GenerationRequest& request,
                    std::span<const TokenId> prompt) {
  const int64_t block_size = engine.options().block_size;
  const int64_t room = engine.room_for({.tenant = request.tenant,
                                        .cache_salt = request.cache_salt,
                                        .prompt = prompt,
                                        .params = &request.sampling});
  const int64_t shared = std::ssize(prompt) / block_size;
  const int64_t own = std::max<int64_t>(room - shared, 0) / request.sampling.num_sequences();
  return (shared + own) * block_size - std::ssize(prompt) + 1;
}

// Drops the first tokens of a prompt that is longer than truncate_prompt_tokens says. True if it was.
bool truncate(const ServedModel& model, const GenerationRequest& request, std::vector<TokenId>& prompt) {
  if (!request.truncate_prompt_tokens) return false;
  const int64_t room = model.max_model_len() - int64_t{std::max(request.max_tokens.value_or(1), 1)};
  const int64_t kept = *request.truncate_prompt_tokens < 0 ? room : *request.truncate_prompt_tokens;
  const int64_t surplus = std::ssize(prompt) - kept;
  if (kept <= 0 || surplus <= 0) return false;
  prompt.erase(prompt.begin(), prompt.begin() + surplus);
  return true;
}

// Sets max_tokens: as asked for, or `fallback`, or what the context and the pool leave.
Expected<> fit_to_context(std::string_view param, const ServedModel& model,
                          const GenerationRequest& request, std::optional<int32_t> fallback,
                          std::span<const TokenId> prompt, SamplingParams& sampling) {
  const size_t prompt_tokens = prompt.size();
  if (prompt_tokens == 0) return fail_param(std::string(param), "the prompt is empty: it has no token");
  const auto context = static_cast<size_t>(model.max_model_len());
  if (prompt_tokens >= context) return too_long(param, model, "", prompt_tokens);
  const auto left = static_cast<int32_t>(context - prompt_tokens);
  if (!request.max_tokens) {
    const int64_t pool = pool_leaves(model.engine, request, prompt);
    sampling.max_tokens = std::min(left, fallback.value_or(left));
    if (pool >= 1 && pool < sampling.max_tokens) sampling.max_tokens = static_cast<int32_t>(pool);
    return {};
  }
  sampling.max_tokens = std::max(*request.max_tokens, 1);  // 0 asks for the prompt alone
  if (sampling.max_tokens <= left) return {};
  return context_exceeded(
      request.max_tokens_name,
      fmt::format("the prompt has {} tokens and {} is {}, but the context holds {} in all", prompt_tokens,
                  request.max_tokens_name, sampling.max_tokens, context));
}

Expected<> check_request(const ServedModel& model, const GenerationRequest& request,
                         std::span<const PreparedPrompt> prompts) {
  const int32_t max_num_seqs = model.engine.options().max_num_seqs;
  if (request.sampling.num_sequences() > max_num_seqs) {
    const char* name = request.sampling.best_of ? "best_of" : "n";
    return fail_param(name, "{} must be at most {} (max-num-seqs of this server), but is {}", name,
                      max_num_seqs, request.sampling.num_sequences());
  }
  for (const auto& prompt : prompts) {
    if (auto checked = validate(prompt.sampling, model.tokenizer.vocab_size()); !checked) return checked;
  }
  if (request.stream) return {};
  int64_t results = 0;  // at most 1024 prompts * 128 choices * 2^31 tokens * 22: no overflow
  for (const auto& prompt : prompts) {
    const auto& sampling = prompt.sampling;
    const int64_t out = int64_t{sampling.max_tokens} * (1 + sampling.logprobs.value_or(0));
    const int64_t in =
        sampling.prompt_logprobs ? int64_t(prompt.tokens.size()) * (1 + *sampling.prompt_logprobs) : 0;
    results += sampling.num_sequences() * (in + out);
  }
  if (results <= kMaxHeldResults) return {};
  return fail_param(request.max_tokens_name,
                    "the answer could hold {} tokens and alternatives (prompts, n, {} and logprobs "
                    "multiplied), more than {}: lower one of them, or stream",
                    results, request.max_tokens_name, kMaxHeldResults);
}

// Asks for what the output must look like, for all prompts alike.
Expected<> constrain(const ServedModel& model, const GenerationRequest& request,
                     std::span<PreparedPrompt> prompts) {
  if (!request.structured_output) return {};
  const auto grammar = model.grammars.request(*request.structured_output);
  if (!grammar) return std::unexpected(grammar.error());
  for (auto& prompt : prompts) prompt.grammar = *grammar;
  return {};
}

// A call in a message, in the form that the template wants.
Value template_call(const MessageToolCall& call, const TemplateTraits& traits) {
  Value function = Value::object();
  function.set("name", Value::user_text(call.name));
  function.set("arguments",
               traits.wants_argument_objects ? call.arguments : Value::user_text(call.arguments_json));
  Value object = Value::object();
  object.set("id", Value::user_text(call.id));
  object.set("type", Value::string("function"));
  object.set("function", std::move(function));
  return object;
}

// `messages` for the template: all that the client wrote is marked as such.
Value to_value(std::span<const ChatMessage> messages, const TemplateTraits& traits) {
  Value array = Value::array();
  for (const auto& message : messages) {
    // Templates were asked about calls without content, and about nothing else without it.
    const bool null_content =
        !message.has_content && !message.tool_calls.empty() && traits.takes_null_content;
    Value object = Value::object();
    object.set("role", Value::user_text(message.role));
    object.set("content", null_content ? Value::null() : Value::user_text(message.content));
    if (message.name) object.set("name", Value::user_text(*message.name));
    if (message.tool_call_id) object.set("tool_call_id", Value::user_text(*message.tool_call_id));
    if (message.reasoning_content) {
      object.set("reasoning_content", Value::user_text(*message.reasoning_content));
    }
    if (!message.tool_calls.empty()) {
      Value calls = Value::array();
      for (const auto& call : message.tool_calls) calls.push_back(template_call(call, traits));
      object.set("tool_calls", std::move(calls));
    }
    array.push_back(std::move(object));
  }
  return array;
}

// Bytes that the template will write at least, by and large.
size_t text_bytes(const ChatInput& input) {
  size_t bytes = 0;
  for (const auto& message : input.messages) bytes += message.content.size();
  return bytes;
}

Expected<> check_template(const ServedModel& model, const ChatInput& input) {
  if (!model.chat_template) {
    return fail_param("messages", "the model has no chat template; use /v1/completions");
  }
  if (!input.tools.empty() && !model.output.traits.shows_tools) {
    return fail_param("tools",
                      "the model's chat template knows no tools; leave tools out, or serve the model "
                      "with a --chat-template that does");
  }
  const auto calls = [](const ChatMessage& message) { return !message.tool_calls.empty(); };
  if (std::ranges::any_of(input.messages, calls) && !model.output.traits.shows_calls) {
    return fail_param("messages",
                      "the model's chat template knows no tool_calls in messages; serve the model "
                      "with a --chat-template that does");
  }
  return {};
}

// Whether a text that goes on does so within reasoning.
bool leaves_reasoning_open(std::string_view text) {
  const size_t open = text.rfind(kThinkOpen);
  return open != std::string_view::npos && !text.substr(open).contains(kThinkClose);
}

// How the template's own text ends, without white space.
std::string_view own_ending(std::span<const RenderedPart> parts) {
  if (parts.empty() || parts.back().from_user) return {};
  const std::string_view text = parts.back().text;
  return text.substr(0, text.find_last_not_of(" \n\r\t") + 1);  // npos + 1 is 0
}

OutputSpec output_spec(const ServedModel& model, const ToolOffer& offer, const ChatTokens& chat) {
  OutputSpec spec;
  spec.reasoning_style = model.output.reasoning_style;
  spec.in_reasoning = chat.opens_reasoning ||
                      (spec.reasoning_style == ReasoningStyle::kFromStart && !chat.closes_reasoning);
  if (!offer.callable()) return spec;
  spec.tool_style = model.output.tool_style;
  for (const Tool& tool : offer.tools) spec.tools.push_back(tool.name);
  spec.one_call = !offer.parallel || !offer.named.empty();
  return spec;
}

std::string_view without_spaces_at_front(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

std::string_view without_spaces_at_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

// Drops what the template puts after the last message's text, by which the message would end.
Expected<> leave_open(std::vector<RenderedPart>& rendered, const ChatInput& input) {
  while (!rendered.empty() && !rendered.back().from_user) rendered.pop_back();
  const std::string_view shown = without_spaces_at_end(input.messages.back().content);  // many trim
  if (!shown.empty() && !rendered.empty() &&
      without_spaces_at_end(rendered.back().text).ends_with(without_spaces_at_front(shown))) {
    return {};
  }
  return fail_param(std::string(input.rendering.continued_by),
                    "the last message cannot be continued: it is empty, or the chat template does not end "
                    "with its text");
}

bool adds_bos(const ServedModel& model, bool add_special_tokens) {
  const TokenizerSpec& spec = model.tokenizer.spec();
  return add_special_tokens && spec.add_bos && spec.bos;
}

std::string spelling(const Tokenizer& tokenizer, std::optional<TokenId> id) {
  return id ? std::string(tokenizer.token_bytes(*id)) : std::string();
}

// Reasoning stays free: a grammar begins with the answer. A model that was not asked to reason may do so,
// unless the prompt says that it has, or goes on in the midst of an answer.
std::optional<ReasoningMarks> reasoning_marks(const OutputSpec& output, const ChatTokens& chat,
                                              const TemplateOptions& rendering) {
  if (output.reasoning_style == ReasoningStyle::kNone) return std::nullopt;
  const std::string close(kThinkClose);
  if (output.in_reasoning) return ReasoningMarks{{}, close};
  if (chat.closes_reasoning || rendering.continue_final_message) return std::nullopt;
  return ReasoningMarks{std::string(kThinkOpen), close};
}

// Which calls may come, and where, is a matter of grammar where something is said of it.
Expected<> settle_calls(const ServedModel& model, ChatRequest& request, OutputSpec& output) {
  auto grammar = call_grammar(model.output, request.offer, std::move(request.structured_output));
  if (!grammar) return std::unexpected(grammar.error());
  request.structured_output = std::move(*grammar);
  if (!request.structured_output) return {};
  const GrammarSpec& settled = *request.structured_output;
  if (request.sampling.ignore_eos) {
    return fail_param("ignore_eos", "ignore_eos cannot be used where {} says where the output ends",
                      settled.field);
  }
  // In a string of JSON nothing is a call.
  const bool is_json = settled.kind == GrammarKind::kJsonObject || settled.kind == GrammarKind::kJsonSchema;
  output.calls_alone = is_json && settled.calls.has_value();
  return {};
}

}  // namespace

Expected<> check_token_ids(std::string_view param, const ServedModel& model, std::span<const TokenId> ids) {
  const int32_t vocab_size = model.tokenizer.vocab_size();
  for (const TokenId id : ids) {
    if (id >= 0 && id < vocab_size) continue;
    return fail_param(std::string(param), "{} has the token id {}, but the vocabulary has {} tokens", param,
                      id, vocab_size);
  }
  return {};
}

Expected<std::vector<TokenId>> tokenize_input(const ServedModel& model, const EmbeddingRequest& request,
                                              CompletionRequest::Prompt input) {
  const auto& kept = request.truncate_prompt_tokens;
  std::vector<TokenId> tokens;
  if (auto* ids = std::get_if<std::vector<TokenId>>(&input)) {
    if (auto checked = check_token_ids("input", model, *ids); !checked)
      return std::unexpected(checked.error());
    tokens = std::move(*ids);
  } else {
    const auto& text = std::get<std::string>(input);
    if (auto checked = check_text_length("input", model, text.size()); !checked && !kept) {
      return std::unexpected(checked.error());
    }
    tokens = tokenize_text(model, text, request.add_special_tokens, true);
  }
  if (tokens.empty()) return fail_param("input", "an input is empty: it has no token");
  const auto room =
      static_cast<size_t>(model.max_model_len()) - 1;  // the engine keeps one for a next token
  const size_t wanted = !kept ? tokens.size() : *kept < 0 ? room : static_cast<size_t>(*kept);
  tokens.resize(std::min(tokens.size(), wanted));
  if (tokens.size() > room) return too_long("input", model, "", tokens.size());
  return tokens;
}

std::vector<TokenId> tokenize_text(const ServedModel& model, std::string_view text, bool add_special_tokens,
                                   bool parse_special) {
  std::vector<TokenId> ids = model.tokenizer.encode(text, parse_special);
  if (adds_bos(model, add_special_tokens)) ids.insert(ids.begin(), *model.tokenizer.spec().bos);
  return ids;
}

Expected<ChatTokens> tokenize_chat(const ServedModel& model, const ChatInput& input) {
  if (auto checked = check_template(model, input); !checked) return std::unexpected(checked.error());
  if (auto checked = check_text_length("messages", model, text_bytes(input)); !checked) {
    return std::unexpected(checked.error());
  }
  const TokenizerSpec& spec = model.tokenizer.spec();
  Value context = input.rendering.variables;
  context.set("messages", to_value(input.messages, model.output.traits));
  if (!input.tools.empty()) context.set("tools", template_tools(input.tools));
  context.set("add_generation_prompt", Value::boolean(input.rendering.asks_for_answer()));
  context.set("bos_token", Value::string(spelling(model.tokenizer, spec.bos)));
  context.set("eos_token", Value::string(spelling(model.tokenizer, spec.eos)));
  auto rendered = model.chat_template->render(context, model.clock.unix_seconds());
  if (!rendered) return fail_param("messages", "the chat template: {}", rendered.error().message);
  const bool goes_on = input.rendering.continue_final_message;
  if (goes_on) {
    if (auto left = leave_open(*rendered, input); !left) return std::unexpected(left.error());
  }
  std::vector<TextPart> parts;
  size_t bytes = 0;
  for (const auto& part : *rendered) {
    parts.push_back({part.text, !part.from_user});
    bytes += part.text.size();
  }
  if (auto checked = check_text_length("messages", model, bytes); !checked) {
    return std::unexpected(checked.error());
  }
  ChatTokens chat{.tokens = model.tokenizer.encode_parts(parts)};
  if (goes_on) {
    chat.opens_reasoning = leaves_reasoning_open(input.messages.back().content);
    chat.closes_reasoning = !chat.opens_reasoning;
  } else {
    const std::string_view ending = own_ending(*rendered);
    chat.opens_reasoning = ending.ends_with(kThinkOpen);
    chat.closes_reasoning = ending.ends_with(kThinkClose);
  }
  return chat;
}

Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, CompletionRequest request) {
  request.sampling.eos_token_ids = model.eos_token_ids;
  std::vector<PreparedPrompt> prompts;
  for (auto& prompt : request.prompts) {
    auto tokens = tokenize_prompt(model, prompt, request.add_special_tokens,
                                  request.truncate_prompt_tokens.has_value());
    if (!tokens) return std::unexpected(tokens.error());
    const bool truncated = truncate(model, request, *tokens);
    PreparedPrompt& prepared = prompts.emplace_back();
    prepared.tokens = std::move(*tokens);
    prepared.sampling = request.sampling;
    if (auto fits = fit_to_context("prompt", model, request, SamplingParams{}.max_tokens, prepared.tokens,
                                   prepared.sampling);
        !fits) {
      return std::unexpected(fits.error());
    }
    if (!request.echo) continue;
    auto* text = truncated ? nullptr : std::get_if<std::string>(&prompt);
    prepared.hides_bos = text && adds_bos(model, request.add_special_tokens);
    prepared.echo_text = text ? std::move(*text) : model.tokenizer.decode(prepared.tokens, false);
  }
  if (auto checked = check_request(model, request, prompts); !checked)
    return std::unexpected(checked.error());
  if (auto constrained = constrain(model, request, prompts); !constrained)
    return std::unexpected(constrained.error());
  return prompts;
}

Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, ChatRequest request) {
  request.sampling.eos_token_ids = model.eos_token_ids;
  const ToolOffer& offer = request.offer;
  auto chat = tokenize_chat(model, {request.messages, offer.shown(), request.rendering});
  if (!chat) return std::unexpected(chat.error());
  truncate(model, request, chat->tokens);
  std::vector<PreparedPrompt> prompts(1);
  prompts[0].output = output_spec(model, offer, *chat);
  if (request.echo && request.messages.back().role == "assistant") {
    prompts[0].echo_text = request.messages.back().content;
  }
  if (auto settled = settle_calls(model, request, prompts[0].output); !settled) {
    return std::unexpected(settled.error());
  }
  if (request.structured_output) {
    // A call that must come comes at once, unless the prompt has begun to reason.
    const auto marks = reasoning_marks(prompts[0].output, *chat, request.rendering);
    if (marks && (!offer.forced() || marks->open.empty())) request.structured_output->reasoning = marks;
  }
  prompts[0].tokens = std::move(chat->tokens);
  prompts[0].sampling = request.sampling;
  if (auto fits =
          fit_to_context("messages", model, request, std::nullopt, prompts[0].tokens, prompts[0].sampling);
      !fits) {
    return std::unexpected(fits.error());
  }
  if (auto checked = check_request(model, request, prompts); !checked)
    return std::unexpected(checked.error());
  if (auto constrained = constrain(model, request, prompts); !constrained)
    return std::unexpected(constrained.error());
  return prompts;
}

namespace {

Expected<std::vector<TokenId>> prefix_tokens(const ServedModel& model, PrefixRequest& request) {
  if (request.prompt) return tokenize_prompt(model, *request.prompt, request.add_special_tokens, false);
  auto chat = tokenize_chat(model, {request.messages, request.tools, {.add_generation_prompt = false}});
  if (!chat) return std::unexpected(chat.error());
  return std::move(chat->tokens);
}

}  // namespace

Expected<std::vector<PreparedPrompt>> prepare(const ServedModel& model, PrefixRequest request) {
  auto tokens = prefix_tokens(model, request);
  if (!tokens) return std::unexpected(tokens.error());
  std::vector<PreparedPrompt> prompts(1);
  prompts[0].tokens = std::move(*tokens);
  prompts[0].sampling.temperature = 0;
  prompts[0].sampling.max_tokens = 1;  // computed with the prompt, and of no interest
  prompts[0].pins = true;
  return prompts;
}

Expected<> add_grammar(std::span<PreparedPrompt> prompts) {
  const auto wanted = prompts.front().grammar;
  if (!wanted) return {};
  const auto compiled = wanted->result();
  CHECK(compiled);
  if (!*compiled) return std::unexpected(compiled->error());
  for (auto& prompt : prompts) {
    prompt.sampling.grammar = **compiled;
    prompt.grammar.reset();
  }
  return {};
}

}  // namespace quire
