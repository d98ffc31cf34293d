// How --help looks: a column of flags, and beside it what they do, wrapped.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace quire {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;

 private:
  // Flags by heading, in the order of flag_groups.h.
  std::string flags_by_group(const CLI::App* app) const;
};

// "quire bench serve" for the innermost of these.
std::string command_path(const CLI::App& command);

// `text` broken at spaces into lines of at most `width` characters (a longer word stands alone), joined by
// newlines.
std::string wrap_text(std::string_view text, size_t width);

}  // namespace quire
