#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/commands.h"
#include "cli/generation.h"
#include "cli/model_flags.h"
#include "server/requests/completion_request.h"

namespace quire {
namespace {

constexpr int32_t kDefaultMaxTokens = 256;

struct CompleteFlags {
  std::string prompt;
  bool has_prompt = false;
  ModelFlags model;
  SamplingFlags sampling;
};

Expected<std::string> read_prompt(const CompleteFlags& flags) {
  if (flags.has_prompt) return flags.prompt;
  if (isatty(STDIN_FILENO) == 1) fmt::print(stderr, "Type the text to continue; Ctrl-D ends it.\n");
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.ends_with('\n')) text.pop_back();  // the pipe's, not the writer's
  if (text.empty())
    return fail(ErrorCode::kInvalidArgument, "there is no prompt: name one, or pipe one in");
  return text;
}

Expected<> complete(const CompleteFlags& flags) {
  const auto text = read_prompt(flags);
  if (!text) return std::unexpected(text.error());
  const auto local = open_local_model(flags.model);
  if (!local) return std::unexpected(local.error());
  ServedModel& model = *(*local)->served;

  CompletionRequest request;
  request.sampling = flags.sampling.params;
  request.stream = true;
  auto tokens = tokenize_text(model, *text, true, true);
  const int64_t left = model.max_model_len() - static_cast<int64_t>(tokens.size());
  request.max_tokens = flags.sampling.max_tokens.value_or(
      static_cast<int32_t>(std::clamp<int64_t>(left, 1, kDefaultMaxTokens)));
  request.prompts.emplace_back(std::move(tokens));
  auto prompts = prepare(model, std::move(request));
  if (!prompts) return std::unexpected(prompts.error());

  const auto show = [](std::string_view piece) {
    fmt::print("{}", piece);
    std::fflush(stdout);
  };
  const auto answer = generate(model, std::move(prompts->front()), show, [] { return false; });
  fmt::print("\n");
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

void add_complete(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("complete", "continue a text and exit");
  auto flags = std::make_shared<CompleteFlags>();
  command->add_option("PROMPT", flags->prompt, "the text to continue; without it, what is piped in")
      ->each([flags](const std::string&) { flags->has_prompt = true; });
  add_model_flags(*command, flags->model, ModelArgument::kFlag, kEngineSeed);
  add_sampling_flags(*command, flags->sampling, fmt::format("{}", kDefaultMaxTokens));
  command->footer(
      "Examples:\n  quire complete \"The capital of France is\" --max-tokens 20\n"
      "  cat story.txt | quire complete --temperature 0");
  command->callback([flags, &action] { action = [flags] { return complete(*flags); }; });
}

}  // namespace quire
