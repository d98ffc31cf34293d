// Lines from a person: with editing, history and Ctrl-C on a terminal (libedit), plain lines from anything
// else.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace quire {

class LineEditor {
 public:
  // `history` is read now and written after every line; its folder is made. Empty: nothing is kept. Both
  // only on a terminal.
  explicit LineEditor(const std::filesystem::path& history);
  ~LineEditor();

  bool is_terminal() const { return terminal_ != nullptr; }

  // The next line without its line break; none at the end of the input (Ctrl-D on an empty line). Ctrl-C
  // drops what was typed and starts a new line.
  std::optional<std::string> read_line();

 private:
  struct Terminal;
  std::unique_ptr<Terminal> terminal_;
};

// Where the history of `command` lies: below $XDG_STATE_HOME, or ~/.local/state; empty if neither is known.
std::filesystem::path history_path(const std::string& command);

}  // namespace quire
