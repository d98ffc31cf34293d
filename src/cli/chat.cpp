#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/conversation.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/model_flags.h"
#include "server/server_config.h"

namespace quire {
namespace {

struct ChatFlags {
  ModelFlags model;
  SamplingFlags sampling;
  std::string system;
};

constexpr std::string_view kCommands =
    "/help           these lines\n"
    "/clear          forget the conversation\n"
    "/system TEXT    begin anew with TEXT as the system message; without TEXT, show it\n"
    "/quit           leave; Ctrl-D does too\n"
    "Ctrl-C stops an answer, or drops the line that is being typed.\n";

enum class Verdict { kQuit, kNext, kAsk };

// The read-eval-print loop over one conversation.
class Chat {
 public:
  Chat(ServedModel& model, const ChatFlags& flags)
      : model_(model),
        sampling_(flags.sampling),
        conversation_(flags.system),
        editor_(history_path("chat")) {}

  Expected<> run(std::string_view model_name);

 private:
  Verdict obey(const std::string& line);
  Expected<> answer(std::string question);
  // The conversation as a prompt, its oldest part forgotten where it leaves too little room for an answer.
  Expected<PreparedPrompt> prompt_that_fits();

  ServedModel& model_;
  const SamplingFlags& sampling_;
  Conversation conversation_;
  LineEditor editor_;
};

Expected<> Chat::run(std::string_view model_name) {
  if (!model_.chat_template) {
    return fail(ErrorCode::kUnsupported, "this model has no chat template; 'quire complete' works with it");
  }
  if (editor_.is_terminal()) fmt::print("{}. /help lists the commands, Ctrl-D leaves.\n", model_name);
  while (auto line = editor_.read_line()) {
    const Verdict verdict = obey(*line);
    if (verdict == Verdict::kQuit) return {};
    if (verdict == Verdict::kNext) continue;
    if (const auto answered = answer(std::move(*line)); !answered) {
      if (!editor_.is_terminal()) return answered;
      fmt::print(stderr, "{}\n", answered.error().message);
    }
  }
  if (editor_.is_terminal()) fmt::print("\n");
  return {};
}

Verdict Chat::obey(const std::string& line) {
  if (line.find_first_not_of(" \t") == std::string::npos) return Verdict::kNext;
  if (line[0] != '/') return Verdict::kAsk;
  const size_t space = std::min(line.find(' '), line.size());
  const std::string command = line.substr(0, space);
  const std::string rest = space < line.size() ? line.substr(space + 1) : "";
  if (command == "/quit" || command == "/exit") return Verdict::kQuit;
  if (command == "/clear") {
    conversation_.clear();
  } else if (command == "/system" && !rest.empty()) {
    conversation_.set_system(rest);
  } else if (command == "/system") {
    fmt::print("{}\n", conversation_.system().empty() ? "(none)" : conversation_.system());
  } else {
    fmt::print("{}", kCommands);
  }
  return Verdict::kNext;
}

Expected<PreparedPrompt> Chat::prompt_that_fits() {
  const int32_t least_answer = std::min(256, model_.max_model_len() / 4);
  while (true) {
    ChatRequest request;
    request.sampling = sampling_.params;
    request.max_tokens = sampling_.max_tokens;
    request.stream = true;
    request.messages = conversation_.messages();
    auto prompts = prepare(model_, std::move(request));
    const bool fits = prompts
                          ? sampling_.max_tokens || prompts->front().sampling.max_tokens >= least_answer
                          : prompts.error().param != "messages" && prompts.error().param != "max_tokens";
    if (!fits && conversation_.drop_oldest()) {
      continue;
    }
    if (!prompts) return std::unexpected(prompts.error());
    return std::move(prompts->front());
  }
}

Expected<> Chat::answer(std::string question) {
  conversation_.add_user(std::move(question));
  auto prompt = prompt_that_fits();
  if (!prompt) {
    conversation_.drop_last();
    return std::unexpected(prompt.error());
  }
  const auto show = [](std::string_view text) {
    fmt::print("{}", text);
    std::fflush(stdout);
  };
  Expected<GeneratedText> answer;
  if (editor_.is_terminal()) {
    const InterruptFlag interrupt;
    answer = generate(model_, std::move(*prompt), show, [&] { return interrupt.raised(); });
  } else {
    answer = generate(model_, std::move(*prompt), show, [] { return false; });
  }
  fmt::print("\n");
  if (!answer) {
    conversation_.drop_last();
    return std::unexpected(answer.error());
  }
  conversation_.add_assistant(std::move(answer->text));
  return {};
}

Expected<> chat(const ChatFlags& flags) {
  auto local = open_local_model(flags.model);
  if (!local) return std::unexpected(local.error());
  const std::string name = served_model_names({}, (*local)->handle.config).front();
  return Chat(*(*local)->served, flags).run(name);
}

}  // namespace

void add_chat(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("chat", "talk to a model in the terminal");
  auto flags = std::make_shared<ChatFlags>();
  add_model_flags(*command, flags->model, ModelArgument::kPositional, kEngineSeed);
  command->add_option("--system", flags->system, "what the model is told before the conversation")
      ->type_name("TEXT");
  add_sampling_flags(*command, flags->sampling, "what the context leaves");
  command->footer(
      "Examples:\n"
      "  quire chat                                 with the default model\n"
      "  quire chat model.gguf --system 'Answer in French.' --temperature 0.2\n"
      "From a pipe, each line is one message: printf 'Hi!\\nAnd now in French?\\n' | quire chat");
  command->callback([flags, &action] { action = [flags] { return chat(*flags); }; });
}

}  // namespace quire
