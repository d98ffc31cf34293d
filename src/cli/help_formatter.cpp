#include "cli/help_formatter.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/flag_groups.h"

namespace quire {
namespace {

constexpr size_t kNameColumn = 34;
constexpr size_t kHelpColumn = 66;

std::string row(const std::string& name, const std::string& help) {
  std::ostringstream out;
  CLI::detail::format_help(out, name, wrap_text(help, kHelpColumn), kNameColumn);
  return out.str();
}

// "-h, --help", "--[no-]ignore-eos".
std::string joined_names(const CLI::Option& option) {
  std::string out;
  const auto add = [&](std::string_view dashes, const std::string& name) {
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", dashes, name);
  };
  for (const std::string& name : option.get_snames()) add("-", name);
  const std::vector<std::string>& names = option.get_lnames();
  const auto exists = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : names) {
    if (name.starts_with("no-") && exists(name.substr(3))) continue;
    add(exists("no-" + name) ? "--[no-]" : "--", name);
  }
  return out;
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kNameColumn);
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string help = make_description(app) + make_usage(app, std::move(name)) + make_positionals(app) +
                     flags_by_group(app) + make_subcommands(app, mode) + "\n" + make_footer(app);
  for (size_t at = 0; (at = help.find("\n\n\n", at)) != std::string::npos;) help.erase(at, 1);
  return help;
}

std::string command_path(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent ? fmt::format("{} {}", command_path(*parent), command.get_name()) : command.get_name();
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string) const {
  std::string usage = fmt::format("\nUsage: {}", command_path(*app));
  const auto is_positional = [](const CLI::Option* option) { return option->get_positional(); };
  for (const CLI::Option* option : app->get_options(is_positional)) {
    usage += fmt::format(" {}", make_option_usage(option));
  }
  if (!app->get_subcommands({}).empty()) usage += " COMMAND";
  return usage + " [flags]\n";
}

std::string HelpFormatter::flags_by_group(const CLI::App* app) const {
  const auto place = [](const std::string& group) {
    const auto order = flag_group_order();
    return std::ranges::find(order, group) - order.begin();
  };
  std::vector<std::string> groups = app->get_groups();
  std::ranges::stable_sort(groups, {}, place);
  std::string help;
  for (const std::string& group : groups) {
    const auto options = app->get_options([&group](const CLI::Option* option) {
      return option->get_group() == group && !option->get_positional();
    });
    if (!group.empty() && !options.empty()) help += make_group(group, false, options);
  }
  return help;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = is_positional ? option->get_name(true) : joined_names(*option);
  if (!is_positional && option->get_type_size() != 0) name += fmt::format(" {}", option->get_type_name());
  return row(name, option->get_description());
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  const std::string description = command->get_description();
  return row(command->get_name(), description.substr(0, description.find('\n')));
}

std::string wrap_text(std::string_view text, size_t width) {
  std::string out;
  size_t column = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    const bool fits = column + 1 + word.size() <= width;
    if (!out.empty()) out += fits ? ' ' : '\n';
    column = (fits && !out.empty() && column > 0 ? column + 1 : 0) + word.size();
    out += word;
  }
  return out;
}

}  // namespace quire
