#include "cli/line_editor.h"

#include <fmt/format.h>
#include <histedit.h>
#include <langinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <utility>

namespace quire {

namespace fs = std::filesystem;

struct LineEditor::Terminal {
  EditLine* editor = nullptr;
  History* lines = nullptr;
  HistEvent event{};
  std::string history_file;

  ~Terminal() {
    if (editor) el_end(editor);  // gives the terminal its old settings back
    if (lines) history_end(lines);
  }
};

namespace {

constexpr int kHistoryLines = 1000;

char* prompt_text(EditLine*) {
  static char text[] = "> ";
  return text;
}

// Ctrl-C while a line is typed: drop it, as a shell does.
unsigned char cancel_line(EditLine* editor, int) {
  const LineInfoW* line = el_wline(editor);  // positions in characters, as the calls below count
  el_cursor(editor, static_cast<int>(line->lastchar - line->cursor));
  el_deletestr(editor, static_cast<int>(line->lastchar - line->buffer));
  std::fputs("^C\n", stdout);
  std::fflush(stdout);
  return CC_REDISPLAY;
}

// libedit edits characters, not bytes, only under a UTF-8 locale.
void use_utf8_locale() {
  if (std::setlocale(LC_CTYPE, "") && std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0) return;
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

LineEditor::LineEditor(const fs::path& history) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) return;
  use_utf8_locale();
  auto terminal = std::make_unique<Terminal>();
  terminal->editor = el_init("quire", stdin, stdout, stderr);
  terminal->lines = history_init();
  if (!terminal->editor || !terminal->lines) return;
  ::history(terminal->lines, &terminal->event, H_SETSIZE, kHistoryLines);
  ::history(terminal->lines, &terminal->event, H_SETUNIQUE, 1);
  el_set(terminal->editor, EL_EDITOR, "emacs");
  el_set(terminal->editor, EL_PROMPT, prompt_text);
  el_set(terminal->editor, EL_HIST, ::history, terminal->lines);
  el_set(terminal->editor, EL_ADDFN, "cancel-line", "Drop the line", cancel_line);
  el_source(terminal->editor, nullptr);  // the user's ~/.editrc
  // While a line is edited Ctrl-C is a key, not a signal; while an answer is written it is one again.
  el_set(terminal->editor, EL_SETTY, "-d", "-isig", nullptr);
  el_set(terminal->editor, EL_BIND, "^C", "cancel-line", nullptr);
  if (!history.empty()) {
    std::error_code error;
    fs::create_directories(history.parent_path(), error);
    terminal->history_file = history.string();
    ::history(terminal->lines, &terminal->event, H_LOAD, terminal->history_file.c_str());
  }
  terminal_ = std::move(terminal);
}

LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::read_line() {
  std::string line;
  if (!terminal_) {
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  }
  int length = 0;
  const char* typed = el_gets(terminal_->editor, &length);
  if (!typed || length <= 0) return std::nullopt;
  line.assign(typed, static_cast<size_t>(length));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  if (!line.empty()) {
    history(terminal_->lines, &terminal_->event, H_ENTER, line.c_str());
    if (!terminal_->history_file.empty()) {
      const mode_t old_mask = umask(077);  // what people type is theirs alone
      history(terminal_->lines, &terminal_->event, H_SAVE, terminal_->history_file.c_str());
      umask(old_mask);
    }
  }
  return line;
}

fs::path history_path(const std::string& command) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state && *state) return fs::path(state) / "quire" / (command + "_history");
  if (home && *home) return fs::path(home) / ".local" / "state" / "quire" / (command + "_history");
  return {};
}

}  // namespace quire
