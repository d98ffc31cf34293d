#include "cli/line_editor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace quire {
namespace {

TEST(LineEditor, ReadsPlainLinesFromAPipe) {
  const int terminal = dup(STDIN_FILENO);  // whoever runs the tests may sit at one
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  std::istringstream input("first\n\nlast");
  std::streambuf* previous = std::cin.rdbuf(input.rdbuf());
  LineEditor editor({});
  EXPECT_FALSE(editor.is_terminal());
  EXPECT_EQ(editor.read_line(), "first");
  EXPECT_EQ(editor.read_line(), "");
  EXPECT_EQ(editor.read_line(), "last");
  EXPECT_EQ(editor.read_line(), std::nullopt);
  std::cin.rdbuf(previous);
  std::cin.clear();
  dup2(terminal, STDIN_FILENO);
  close(terminal);
  close(nothing);
}

TEST(HistoryPath, FollowsXdg) {
  setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(history_path("chat"), "/state/quire/chat_history");
  setenv("XDG_STATE_HOME", "", 1);
  setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(history_path("chat"), "/home/someone/.local/state/quire/chat_history");
  unsetenv("XDG_STATE_HOME");
  unsetenv("HOME");
  EXPECT_TRUE(history_path("chat").empty());
}

}  // namespace
}  // namespace quire
