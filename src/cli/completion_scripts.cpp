#include "cli/completion_scripts.h"

#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <map>
#include <string_view>

namespace quire {
namespace {

class Script {
 public:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void text(std::string_view text) { text_ += text; }
  std::string finish() && { return std::move(text_); }

 private:
  std::string text_;
};

// In single quotes, as bash and zsh read them.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string last_word(const std::string& path) { return path.substr(path.rfind(' ') + 1); }

std::string joined(std::span<const std::string> words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

std::vector<std::string> flag_names(const CompletedCommand& command) {
  std::vector<std::string> names;
  for (const CompletedFlag& flag : command.flags)
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

// The paths of all commands but the first, as patterns of `case`.
std::string command_patterns(std::span<const CompletedCommand> commands, std::string_view between) {
  std::vector<std::string> patterns;
  for (const CompletedCommand& command : commands.subspan(1))
    patterns.push_back(shell_quoted(command.path));
  return joined(patterns, between);
}

// What bash and zsh do where the value of a flag is due: a branch of `case` for each kind of value, found by
// "COMMAND FLAG".
void value_branches(Script& script, const CompletedCommand& command,
                    const std::function<std::string(const CompletedFlag&)>& offer) {
  std::map<std::string, std::vector<std::string>> branches;  // by what they do
  for (const CompletedFlag& flag : command.flags) {
    if (flag.kind == ValueKind::kNone) continue;
    for (const std::string& name : flag.names) {
      branches[offer(flag)].push_back(shell_quoted(command.path + " " + name));
    }
  }
  for (const auto& [what, patterns] : branches) {
    script.line("    {})", joined(patterns, "|"));
    script.line("      {}return ;;", what);
  }
}

std::string bash_offer(const CompletedFlag& flag) {
  switch (flag.kind) {
    case ValueKind::kChoice:
      return fmt::format("_quire_words {}; ", shell_quoted(joined(flag.choices, " ")));
    case ValueKind::kFile: return "_quire_paths -f; ";
    case ValueKind::kFolder: return "_quire_paths -d; ";
    case ValueKind::kWord:
    case ValueKind::kNone: break;
  }
  return "";
}

std::string zsh_offer(const CompletedFlag& flag) {
  switch (flag.kind) {
    case ValueKind::kChoice: return fmt::format("compadd -- {}; ", joined(flag.choices, " "));
    case ValueKind::kFile: return "_files; ";
    case ValueKind::kFolder: return "_files -/; ";
    case ValueKind::kWord:
    case ValueKind::kNone: break;
  }
  return "";
}

// "name:help" for _describe, whose colons part the two.
std::string described(std::string_view name, std::string_view help) {
  std::string out;
  for (const char c : name) out += c == ':' ? std::string("\\:") : std::string(1, c);
  return shell_quoted(fmt::format("{}:{}", out, help));
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_value(const CompletedFlag& flag) {
  switch (flag.kind) {
    case ValueKind::kChoice: return fmt::format(" -x -a {}", fish_quoted(joined(flag.choices, " ")));
    case ValueKind::kFile: return " -r -F";
    case ValueKind::kFolder: return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kWord: return " -x";
    case ValueKind::kNone: break;
  }
  return "";
}

}  // namespace

std::string bash_completion(std::span<const CompletedCommand> commands) {
  Script script;
  script.text(
      "# Completion of quire for bash: source <(quire completion bash)\n"
      "_quire_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$current\"); }\n"
      "_quire_paths() {\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$current\")\n"
      "}\n"
      "_quire() {\n"
      "  local command=quire current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i\n"
      "  COMPREPLY=()\n"
      "  # --flag=value comes as three words.\n"
      "  if [[ $current == = ]]; then current=\n"
      "  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case \"$command ${COMP_WORDS[i]}\" in\n");
  script.line("      {}) command+=\" ${{COMP_WORDS[i]}}\" ;;", command_patterns(commands, "|"));
  script.text("    esac\n  done\n  case \"$command $previous\" in\n");
  for (const CompletedCommand& command : commands) value_branches(script, command, bash_offer);
  script.text("  esac\n  case \"$command\" in\n");
  for (const CompletedCommand& command : commands) {
    script.line("    {})", shell_quoted(command.path));
    script.line("      if [[ $current == -* ]]; then _quire_words {}",
                shell_quoted(joined(flag_names(command), " ")));
    std::string rest = bash_offer(command.argument);
    if (!command.children.empty()) {
      std::vector<std::string> names;
      for (const size_t child : command.children) names.push_back(last_word(commands[child].path));
      rest = fmt::format("_quire_words {}; ", shell_quoted(joined(names, " ")));
    }
    script.line("      {}fi ;;", rest.empty() ? "" : "else " + rest);
  }
  script.text("  esac\n}\ncomplete -F _quire quire\n");
  return std::move(script).finish();
}

std::string zsh_completion(std::span<const CompletedCommand> commands) {
  Script script;
  script.text(
      "#compdef quire\n"
      "# Completion of quire for zsh: source <(quire completion zsh)\n"
      "_quire() {\n"
      "  local command=quire previous=${words[CURRENT-1]} i\n"
      "  local -a offered\n"
      "  for ((i = 2; i < CURRENT; ++i)); do\n"
      "    case \"$command ${words[i]}\" in\n");
  script.line("      {}) command+=\" ${{words[i]}}\" ;;", command_patterns(commands, "|"));
  script.text(
      "    esac\n  done\n"
      "  if compset -P '--*='; then previous=${words[CURRENT]%%=*}; fi\n"
      "  case \"$command $previous\" in\n");
  for (const CompletedCommand& command : commands) value_branches(script, command, zsh_offer);
  script.text("  esac\n  case \"$command\" in\n");
  for (const CompletedCommand& command : commands) {
    script.line("    {})", shell_quoted(command.path));
    script.line("      if [[ $PREFIX == -* ]]; then");
    script.line("        offered=(");
    for (const CompletedFlag& flag : command.flags) {
      for (const std::string& name : flag.names) script.line("          {}", described(name, flag.help));
    }
    script.line("        )");
    script.line("        _describe flag offered");
    if (!command.children.empty()) {
      script.line("      else");
      script.line("        offered=(");
      for (const size_t child : command.children) {
        script.line("          {}", described(last_word(commands[child].path), commands[child].help));
      }
      script.line("        )");
      script.line("        _describe command offered");
    } else if (const std::string offer = zsh_offer(command.argument); !offer.empty()) {
      script.line("      else {}", offer);
    }
    script.line("      fi ;;");
  }
  script.text(
      "  esac\n}\n"
      "if [[ ${funcstack[1]} == _quire ]]; then _quire \"$@\"; else compdef _quire quire; fi\n");
  return std::move(script).finish();
}

std::string fish_completion(std::span<const CompletedCommand> commands) {
  Script script;
  script.text(
      "# Completion of quire for fish: quire completion fish | source\n"
      "function __quire_at\n"
      "  set -l command quire\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$command $word\"\n");
  script.line("      case {}", command_patterns(commands, " "));
  script.text(
      "        set command \"$command $word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$command\" = \"$argv\"\n"
      "end\n"
      "complete -c quire -f\n");
  for (const CompletedCommand& command : commands) {
    const std::string here =
        fmt::format("complete -c quire -n {}", fish_quoted("__quire_at " + command.path));
    for (const size_t child : command.children) {
      script.line("{} -a {} -d {}", here, last_word(commands[child].path),
                  fish_quoted(commands[child].help));
    }
    if (command.argument.kind != ValueKind::kNone) {
      const CompletedFlag& argument = command.argument;
      if (argument.kind == ValueKind::kFile) script.line("{} -F", here);
      if (argument.kind == ValueKind::kChoice) {
        script.line("{} -a {}", here, fish_quoted(joined(argument.choices, " ")));
      }
    }
    for (const CompletedFlag& flag : command.flags) {
      std::string names;
      for (const std::string& name : flag.names) {
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      script.line("{}{}{} -d {}", here, names, fish_value(flag), fish_quoted(flag.help));
    }
  }
  return std::move(script).finish();
}

}  // namespace quire
