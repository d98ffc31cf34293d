#include "server/generation/generation.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace quire {

namespace {

// Control tokens that whoever takes the text apart must see; and with a grammar, to which they are text, all
// that may come.
std::vector<TokenId> shown_tokens(const ServedModel& model, const PreparedPrompt& prompt) {
  const ModelOutput& output = model.output;
  const bool has_grammar = prompt.sampling.grammar != nullptr;
  std::vector<TokenId> shown;
  if (has_grammar || prompt.output.tool_style != ToolStyle::kNone) shown = output.call_marks;
  if (has_grammar || prompt.output.reasoning_style != ReasoningStyle::kNone) {
    shown.insert(shown.end(), output.reasoning_marks.begin(), output.reasoning_marks.end());
  }
  return shown;
}

}  // namespace

ApiExpected<std::unique_ptr<Generation>> Generation::start(const ServedModel& model,
                                                           std::span<const PreparedPrompt> prompts,
                                                           const Asker& asker) {
  std::vector<EngineRequest> requests;
  for (const auto& prompt : prompts) {
    requests.push_back({.prompt = prompt.tokens,
                        .params = std::make_shared<const SamplingParams>(prompt.sampling),
                        .tenant = asker.tenant,
                        .priority = asker.priority,
                        .cache_salt = asker.cache_salt,
                        .pins = prompt.pins});
  }
  auto streams = RequestStreams::submit(model, std::move(requests));
  if (!streams) return std::unexpected(std::move(streams.error()));
  std::unique_ptr<Generation> generation(new Generation(std::move(*streams)));
  for (const auto& prompt : prompts) {
    generation->submissions_.push_back(
        {std::make_unique<OutputProcessor>(model.tokenizer, prompt.sampling, shown_tokens(model, prompt)),
         {}});
  }
  return generation;
}

std::optional<PinnedPrefix> Generation::pinned_prefix(TenantId tenant) const {
  const auto pinned = streams_->engine().pinned_prefixes(tenant);
  const auto found = std::ranges::find(pinned, streams_->id(0), &PinnedPrefix::id);
  return found == pinned.end() ? std::nullopt : std::optional(*found);
}

bool Generation::poll(std::vector<ChoiceDelta>& out) {
  bool open = false;
  for (size_t prompt = 0; prompt < submissions_.size(); ++prompt) {
    if (streams_->open(prompt) && poll_submission(prompt, out)) open = true;
  }
  return open;
}

// False when the submission has ended.
bool Generation::poll_submission(size_t prompt, std::vector<ChoiceDelta>& out) {
  Submission& submission = submissions_[prompt];
  deltas_.clear();
  texts_.clear();
  const bool more = streams_->poll(prompt, deltas_);
  for (auto& delta : deltas_) {
    auto& logprobs = submission.prompt_logprobs;
    std::move(delta.prompt.begin(), delta.prompt.end(), std::back_inserter(logprobs));
    // The engine sees no stop strings.
    if (submission.processor->process(delta, texts_)) streams_->finish(prompt, delta.index);
  }
  for (auto& text : texts_) out.push_back({prompt, std::move(text)});
  if (!more || !submission.processor->done()) return more;
  streams_->leave(prompt);
  return false;
}

}  // namespace quire
