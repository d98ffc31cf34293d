#include "cli/cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <vector>

#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/help_formatter.h"
#include "cli/suggestion.h"

namespace quire {
namespace {

constexpr int kFailed = 1;
constexpr int kMisused = 2;

void add_commands(CLI::App& app, Action& action) {
  app.formatter(std::make_shared<HelpFormatter>());  // before the subcommands, which inherit it
  app.set_version_flag("--version", "quire " QUIRE_VERSION, "print the version and exit");
  app.set_help_flag("-h,--help", "print this help and exit");
  app.require_subcommand(1);
  add_serve(app, action);
  add_chat(app, action);
  add_complete(app, action);
  add_tokenize(app, action);
  add_inspect(app, action);
  add_run_batch(app, action);
  add_bench(app, action);
  add_completion(app, action);
  for (CLI::App* command : app.get_subcommands({})) command->group("Commands");
  app.footer(
      "'quire COMMAND --help' lists a command's flags. Try 'quire chat', or 'quire serve' and then\n"
      "http://127.0.0.1:8000/v1 in any OpenAI client.");
}

// The command that the arguments came to: `quire bench serve` is its innermost one.
CLI::App& innermost(CLI::App& app) {
  CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

int misused(const CLI::App& command, std::string_view message) {
  fmt::print(stderr, "{0}: {1}\n'{0} --help' lists what there is.\n", command_path(command), message);
  return kMisused;
}

// In our words what CLI11 says so: "--port: 1 required N missing", "--port: At Most 1 required but received
// 2", "SHELL: tcsh not in {bash,zsh}", "A subcommand is required".
std::string reworded(const CLI::App& command, std::string_view message) {
  const auto before = [message](std::string_view words) {
    const size_t end = message.find(words);
    return end == message.npos ? std::string_view() : message.substr(0, end);
  };
  if (const auto flag = before(": 1 required "); !flag.empty())
    return fmt::format("{} needs a value", flag);
  if (const auto flag = before(": At Most 1 required but received "); !flag.empty()) {
    return fmt::format("{} is there more than once", flag);
  }
  if (const auto value = before(" not in {"); !value.empty()) {
    std::string_view rest = message.substr(value.size() + std::string_view(" not in {").size());
    rest = rest.substr(0, rest.find('}'));
    const size_t colon = value.find(": ");
    if (colon == value.npos) return std::string(message);
    std::string names;
    for (const char c : rest) names.append(c == ',' ? ", " : std::string(1, c));
    return fmt::format("{}: '{}' is none of {}", value.substr(0, colon), value.substr(colon + 2), names);
  }
  if (message == "A subcommand is required") {
    std::vector<std::string> names;
    for (const CLI::App* child : command.get_subcommands({})) names.push_back(child->get_name());
    return fmt::format("one of {} is required", fmt::join(names, ", "));
  }
  return std::string(message);
}

// "help serve" is "serve --help", and "version" is "--version". Behind what is no command stands no --help:
// it would be answered, and the word passed over.
std::vector<std::string> with_help_as_flag(CLI::App& app, std::span<const std::string> arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  if (words.size() == 1 && words[0] == "version") words[0] = "--version";
  if (words.empty() || words[0] != "help") return words;
  words.erase(words.begin());
  CLI::App* command = &app;
  size_t num_commands = 0;
  while (command != nullptr && num_commands < words.size() && !words[num_commands].starts_with('-')) {
    const auto children = command->get_subcommands({});
    const auto child = std::ranges::find(children, words[num_commands],
                                         [](const CLI::App* app) { return app->get_name(); });
    command = child == children.end() ? nullptr : *child;
    if (command != nullptr) ++num_commands;
  }
  if (command == nullptr) return words;
  words.resize(num_commands);
  words.push_back("--help");
  return words;
}

std::string describe(CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  // CLI11 misses a subcommand before it sees that the word in its place is unknown.
  const bool is_unknown = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
                          error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError);
  if (is_unknown && !unknown.empty()) return describe_unknown(innermost(app), unknown);
  return reworded(innermost(app), error.what());
}

}  // namespace

int run_cli(std::span<const std::string> arguments) {
  CLI::App app("Quire serves large language models from paged KV memory, over the OpenAI API.", "quire");
  Action action;
  add_commands(app, action);
  if (arguments.empty()) {
    fmt::print(stderr, "{}", app.help());
    return kMisused;
  }
  const RequiredFlags required(app);
  try {
    std::vector<std::string> words = with_help_as_flag(app, arguments);
    std::ranges::reverse(words);  // CLI11 takes them from the back
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help, --version
    return misused(innermost(app), describe(app, error));
  }
  CLI::App& command = innermost(app);
  if (const auto applied = apply_config_file(command); !applied) {
    return misused(command, applied.error().message);
  }
  if (const auto complete = required.check(command); !complete) {
    return misused(command, complete.error().message);
  }
  if (const auto done = action(); !done) {
    std::fflush(stdout);
    fmt::print(stderr, "quire: {}\n", done.error().message);
    return kFailed;
  }
  return 0;
}

}  // namespace quire
