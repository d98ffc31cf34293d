#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/commands.h"
#include "cli/completion_scripts.h"
#include "cli/help_formatter.h"

namespace quire {
namespace {

constexpr size_t kMaxHelp = 72;  // characters, of a line that a shell shows beside a flag

std::string short_help(std::string_view help) {
  std::string text(help.substr(0, help.find('\n')));
  if (text.size() <= kMaxHelp) return text;
  const size_t space = text.rfind(' ', kMaxHelp);
  return text.substr(0, space == std::string::npos ? kMaxHelp : space) + " ...";
}

std::vector<std::string> split_choices(std::string_view choices) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= choices.size();) {
    const size_t end = std::min(choices.find('|', begin), choices.size());
    words.emplace_back(choices.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

CompletedFlag completed_flag(const CLI::Option& option) {
  CompletedFlag flag;
  flag.help = short_help(option.get_description());
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() == 0) {
    flag.kind = ValueKind::kNone;
  } else if (type.find('|') != std::string::npos) {
    flag.kind = ValueKind::kChoice;
    flag.choices = split_choices(type);
  } else {
    flag.kind = type == "FILE"     ? ValueKind::kFile
                : type == "FOLDER" ? ValueKind::kFolder
                                   : ValueKind::kWord;
  }
  return flag;
}

size_t add_command(const CLI::App& app, std::vector<CompletedCommand>& commands) {
  const size_t place = commands.size();
  CompletedCommand& command = commands.emplace_back();
  command.path = command_path(app);
  command.help = short_help(app.get_description());
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      command.argument = completed_flag(*option);
    } else {
      command.flags.push_back(completed_flag(*option));
    }
  }
  for (const CLI::App* child : app.get_subcommands({})) {
    if (child->get_group().empty()) continue;
    const size_t added = add_command(*child, commands);
    commands[place].children.push_back(added);
  }
  return place;
}

}  // namespace

std::vector<CompletedCommand> completed_commands(const CLI::App& app) {
  std::vector<CompletedCommand> commands;
  add_command(app, commands);
  return commands;
}

Expected<std::string> completion_script(const CLI::App& app, std::string_view shell) {
  const std::vector<CompletedCommand> commands = completed_commands(app);
  if (shell == "bash") return bash_completion(commands);
  if (shell == "zsh") return zsh_completion(commands);
  if (shell == "fish") return fish_completion(commands);
  return fail(ErrorCode::kInvalidArgument, "no completion for '{}': name bash, zsh or fish", shell);
}

void add_completion(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("completion", "print what makes a shell complete quire's flags");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->type_name("bash|zsh|fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  command->footer(
      "For this session:   source <(quire completion bash)\n"
      "For all of them:    quire completion bash > /etc/bash_completion.d/quire\n"
      "                    quire completion zsh > /usr/local/share/zsh/site-functions/_quire\n"
      "                    quire completion fish > /etc/fish/completions/quire.fish");
  command->callback([&app, shell, &action] {
    action = [&app, shell]() -> Expected<> {
      const auto script = completion_script(app, *shell);
      if (!script) return std::unexpected(script.error());
      fmt::print("{}", *script);
      return {};
    };
  });
}

}  // namespace quire
