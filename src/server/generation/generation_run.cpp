#include "server/generation/generation_run.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/text.h"
#include "server/generation/logprobs_json.h"

namespace quire {
namespace {

constexpr size_t kMaxKeptBytes = 4 << 10;
constexpr int64_t kManyValues = 8192;    // numbers in an answer: a few milliseconds
constexpr int64_t kTokensPerValue = 16;  // whose text takes as long as a number

void cut(std::string& text) {
  if (text.size() <= kMaxKeptBytes) return;
  text.resize(kMaxKeptBytes);
  text.resize(complete_utf8_length(text));
}

}  // namespace

ApiError failure_of(FinishReason reason) {
  if (reason == FinishReason::kAborted) {
    return {503, "the server is shutting down; the request was not finished", {}, "unavailable", 1};
  }
  if (reason == FinishReason::kTimedOut) {
    return {503, "the request waited too long for its turn; try again later", {}, "queue_timeout", 5};
  }
  if (reason == FinishReason::kDeadEnd) {
    return {400,
            "the request's grammar came to a point from which no text of the model leads to its end, or a "
            "beam search found fewer outputs in it than it was to",
            {},
            "grammar_dead_end",
            0};
  }
  return {500, "the engine could not compute this request", {}, "internal_error", 0};
}

namespace {

// The prompt's tokens as echo shows them; nothing speaks of the first one's probability.
std::vector<OutputToken> echo_tokens(std::span<const TokenId> prompt,
                                     std::span<const Generation::PromptToken> logprobs) {
  std::vector<OutputToken> tokens(prompt.size());
  for (size_t i = 0; i < prompt.size(); ++i) {
    tokens[i].id = prompt[i];
    tokens[i].logprob = std::numeric_limits<float>::quiet_NaN();
  }
  for (const auto& scored : logprobs) {
    if (scored.position <= 0 || std::cmp_greater_equal(scored.position, tokens.size())) continue;
    auto& token = tokens[static_cast<size_t>(scored.position)];
    token.logprob = scored.logprob;
    token.top = scored.top;
  }
  return tokens;
}

}  // namespace

ApiExpected<std::unique_ptr<GenerationRun>> GenerationRun::start(const ServedModel& model,
                                                                 const RunOptions& options,
                                                                 std::unique_ptr<AnswerWriter> writer,
                                                                 ResponseContext context,
                                                                 std::vector<PreparedPrompt> prompts) {
  auto generation = Generation::start(model, prompts, options.asker);
  if (!generation) return std::unexpected(std::move(generation.error()));
  return std::unique_ptr<GenerationRun>(new GenerationRun(options, std::move(writer), std::move(context),
                                                          std::move(prompts), std::move(*generation)));
}

GenerationRun::GenerationRun(const RunOptions& options, std::unique_ptr<AnswerWriter> writer,
                             ResponseContext context, std::vector<PreparedPrompt> prompts,
                             std::unique_ptr<Generation> generation)
    : options_(options),
      writer_(std::move(writer)),
      context_(std::move(context)),
      prompts_(std::move(prompts)),
      generation_(std::move(generation)) {
  const auto n = static_cast<size_t>(prompts_.front().sampling.n);
  choices_.resize(prompts_.size() * n);
  opened_.resize(choices_.size());
  touched_.resize(choices_.size());
  parsers_.resize(choices_.size());
  for (size_t i = 0; i < choices_.size(); ++i) {
    choices_[i].index = static_cast<int32_t>(i);
    choices_[i].prompt = i / n;
    const OutputSpec& output = prompts_[i / n].output;
    if (output.parses()) {
      parsers_[i] = std::make_unique<ChoiceParser>(output, context_.id, choices_[i].index);
    }
  }
  for (const auto& prompt : prompts_) {
    usage_.prompt_tokens += static_cast<int64_t>(prompt.tokens.size());
    if (context_.return_token_ids) context_.prompts.push_back(prompt.tokens);
  }
  if (options_.keep_text) keep_prompt();
}

void GenerationRun::keep_prompt() {
  const std::span<const TokenId> tokens = prompts_.front().tokens;
  kept_.prompt = context_.tokenizer.decode(tokens.first(std::min(tokens.size(), kMaxKeptBytes)), false);
  cut(kept_.prompt);
}

GenerationRun::Progress GenerationRun::advance(std::string& body) {
  pieces_.clear();
  const bool more = generation_->poll(pieces_);
  usage_.cached_tokens = generation_->streams().num_cached_tokens();
  for (auto& piece : pieces_) {
    take(piece);
    if (error_) break;
  }
  if (!more && !error_ && !std::ranges::all_of(choices_, &ChoiceResult::ended)) {
    error_ = failure_of(FinishReason::kError);
  }
  if (options_.stream) write_pieces(body);
  if (more && !error_) return Progress::kMore;
  write_end(body);
  return Progress::kDone;
}

Usage GenerationRun::usage() const {
  Usage usage = usage_;
  if (!options_.prompt_only) usage.generated_tokens = generation_->streams().num_generated_tokens();
  return usage;
}

bool GenerationRun::takes_long() const {
  if (options_.stream) return false;  // it is written as it comes
  const SamplingParams& sampling = prompts_.front().sampling;
  const int64_t num_tokens = generation_->streams().num_generated_tokens();
  int64_t num_values = num_tokens / kTokensPerValue;
  if (context_.return_token_ids) num_values += num_tokens + usage_.prompt_tokens;
  if (sampling.logprobs) num_values += num_tokens * (*sampling.logprobs + 1);
  if (sampling.prompt_logprobs) num_values += usage_.prompt_tokens * (*sampling.prompt_logprobs + 1);
  return num_values > kManyValues;
}

std::string GenerationRun::note() const {
  return fmt::format("{} + {} tokens", usage_.prompt_tokens, usage_.completion_tokens);
}

std::optional<GenerationTrace> GenerationRun::trace() const {
  const SamplingParams& sampling = prompts_.front().sampling;
  GenerationTrace trace{.times = generation_->streams().times(),
                        .response_id = context_.id,
                        .model = context_.model,
                        .input_tokens = usage_.prompt_tokens,
                        .cached_tokens = usage_.cached_tokens,
                        .output_tokens = usage_.completion_tokens,
                        .finish_reasons = {},
                        .num_choices = sampling.n,
                        .max_tokens = sampling.max_tokens,
                        .temperature = sampling.temperature,
                        .top_p = sampling.top_p,
                        .top_k = sampling.top_k,
                        .frequency_penalty = sampling.frequency_penalty,
                        .presence_penalty = sampling.presence_penalty,
                        .seed = sampling.seed};
  for (const ChoiceResult& choice : choices_) {
    if (choice.finish_reason == FinishReason::kNone) continue;
    trace.finish_reasons.emplace_back(choice.stopped_for_calls() ? "tool_calls"
                                                                 : to_string(choice.finish_reason));
  }
  return trace;
}

void GenerationRun::take(ChoiceDelta& piece) {
  TextDelta& delta = piece.delta;
  if (delta.finish_reason == FinishReason::kAborted || delta.finish_reason == FinishReason::kError ||
      delta.finish_reason == FinishReason::kTimedOut || delta.finish_reason == FinishReason::kDeadEnd) {
    error_ = failure_of(delta.finish_reason);
    return;
  }
  const auto n = static_cast<size_t>(prompts_.front().sampling.n);
  const size_t index = piece.prompt * n + static_cast<size_t>(delta.index);
  ChoiceResult& choice = choices_[index];
  if (choice.ended()) return;  // by a parser
  if (!opened_[index]) open_choice(choice);
  opened_[index] = true;
  choice.finish_reason = delta.finish_reason;
  if (options_.prompt_only) {
    choice.finish_reason = FinishReason::kLength;
  } else {
    usage_.completion_tokens += static_cast<int64_t>(delta.tokens.size());
    if (options_.keep_text && index == 0 && kept_.completion.size() < kMaxKeptBytes) {
      kept_.completion += delta.text;
      cut(kept_.completion);
    }
    choice.stop_reason = std::move(delta.stop_reason);
    take_text(delta, index);
    if (keeps_tokens() && !options_.content_tokens)
      append_tokens(choice, std::move(delta.tokens), context_.skip_special_tokens);
  }
  if (!touched_[index]) to_write_.push_back(index);
  touched_[index] = true;
}

void GenerationRun::take_text(TextDelta& delta, size_t index) {
  ChoiceResult& choice = choices_[index];
  ChoiceParser* parser = parsers_[index].get();
  const bool with_tokens = options_.content_tokens && keeps_tokens();
  if (parser == nullptr) {
    choice.text += delta.text;
    if (with_tokens) std::ranges::copy(delta.tokens, std::back_inserter(choice.content_tokens));
    return;
  }
  usage_.reasoning_tokens += parser->take(delta, with_tokens, choice);
  if (options_.drop_reasoning) choice.reasoning.clear();
  if (!parser->done() || choice.ended()) return;
  choice.finish_reason = FinishReason::kStop;
  generation_->finish(choice.prompt, delta.index);
}

void GenerationRun::append_tokens(ChoiceResult& choice, std::vector<OutputToken> tokens,
                                  bool skip_special) {
  for (auto& token : tokens) {
    token.text_offset = choice.num_characters;
    choice.num_characters += num_characters(context_.tokenizer, token.id, skip_special);
    choice.tokens.push_back(std::move(token));
  }
}

void GenerationRun::open_choice(ChoiceResult& choice) {
  if (!options_.echo) return;
  const PreparedPrompt& prompt = prompts_[choice.prompt];
  choice.text = prompt.echo_text;
  if (!options_.echo_tokens || !keeps_tokens()) return;
  append_tokens(choice, echo_tokens(prompt.tokens, generation_->prompt_logprobs(choice.prompt)), false);
  choice.num_echoed = choice.tokens.size();
  if (!prompt.hides_bos) return;
  const int64_t bos_characters = num_characters(context_.tokenizer, prompt.tokens.front(), false);
  for (size_t i = 1; i < choice.tokens.size(); ++i) choice.tokens[i].text_offset -= bos_characters;
  choice.num_characters -= bos_characters;
}

void GenerationRun::write_pieces(std::string& body) {
  for (const size_t index : to_write_) {
    touched_[index] = false;
    ChoiceResult& choice = choices_[index];
    if (!choice.has_news()) continue;  // the text is held back
    if (!begun_) writer_->begin_stream(body, state());
    begun_ = true;
    writer_->write_piece(body, state(), choice);
    choice.first = false;
    choice.text.clear();
    choice.reasoning.clear();
    choice.calls.clear();
    choice.tokens.clear();
    choice.content_tokens.clear();
    choice.num_echoed = 0;
  }
  to_write_.clear();
}

void GenerationRun::write_end(std::string& body) {
  if (options_.stream) {
    if (error_) {
      // Where bytes that keep proxies patient went ahead, these are the first events, and are in order.
      if (!std::exchange(begun_, true)) writer_->begin_stream(body, state());
      return writer_->fail_stream(body, state(), *error_);
    }
    return writer_->end_stream(body, state());
  }
  if (error_) return;
  if (auto written = writer_->write_answer(body, state()); !written) error_ = std::move(written.error());
}

}  // namespace quire
