#include "cli/help_formatter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <CLI/App.hpp>
#include <sstream>

namespace quire {
namespace {

TEST(WrapText, BreaksAtSpaces) {
  EXPECT_EQ(wrap_text("one two three", 7), "one two\nthree");
  EXPECT_EQ(wrap_text("one two three", 100), "one two three");
  EXPECT_EQ(wrap_text("unbreakable word", 5), "unbreakable\nword");
  EXPECT_EQ(wrap_text("", 10), "");
}

RC_GTEST_PROP(WrapText, KeepsWordsAndWidth, ()) {
  const auto words =
      *rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty(rc::gen::string<std::string>()));
  std::string text;
  for (const std::string& word : words) {
    for (const char c : word) text += c == ' ' || c == '\n' ? 'x' : c;
    text += ' ';
  }
  std::string joined = wrap_text(text, 12);
  std::istringstream lines(joined);
  for (std::string line; std::getline(lines, line);) {
    RC_ASSERT(line.size() <= 12 || line.find(' ') == std::string::npos);
  }
  std::replace(joined.begin(), joined.end(), '\n', ' ');
  if (!joined.empty()) joined += ' ';
  RC_ASSERT(joined == text);
}

TEST(HelpFormatter, ShowsUsageNegationsAndTypes) {
  CLI::App app("An app.", "tool");
  app.formatter(std::make_shared<HelpFormatter>());
  CLI::App* command = app.add_subcommand("go", "go somewhere");
  bool fast = false;
  std::string where;
  command->add_option("WHERE", where, "where to");
  command->add_flag("--fast,!--no-fast", fast, "hurry");
  command->add_option("--via,--over", where, "on which way")->type_name("PLACE");
  const std::string help = command->help();
  EXPECT_NE(help.find("Usage: tool go [WHERE] [flags]"), std::string::npos) << help;
  EXPECT_NE(help.find("--[no-]fast"), std::string::npos) << help;
  EXPECT_NE(help.find("--via, --over PLACE"), std::string::npos) << help;
  EXPECT_NE(app.help().find("Usage: tool COMMAND [flags]"), std::string::npos) << app.help();
  EXPECT_EQ(command_path(*command), "tool go");
}

}  // namespace
}  // namespace quire
