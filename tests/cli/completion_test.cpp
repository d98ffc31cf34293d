#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>

#include "cli/cli.h"
#include "cli/help_formatter.h"
#include "tests/base/temp_folder.h"

namespace quire {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

// What a shell prints, by line; the shell is on the PATH.
std::vector<std::string> output_lines(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<std::string> lines;
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    lines.emplace_back(line.data());
    while (!lines.back().empty() && lines.back().back() == '\n') lines.back().pop_back();
  }
  return lines;
}

bool has_shell(const std::string& shell) { return !output_lines("command -v " + shell).empty(); }

class Completion : public testing::Test {
 protected:
  // The real program's script, in a file.
  std::string script(const std::string& shell) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_cli(std::array<std::string, 2>{"completion", shell}), 0);
    return write(shell, testing::internal::GetCapturedStdout());
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
    return folder_.file(name);
  }

  // What bash offers for the last of `words`.
  std::vector<std::string> bash(std::vector<std::string> words) {
    if (bash_script_.empty()) bash_script_ = script("bash");
    std::string test = "cd " + folder_.path().string() + "\nsource " + bash_script_ + "\nCOMP_WORDS=(quire";
    for (const std::string& word : words) test += " '" + word + "'";
    test += fmt::format(")\nCOMP_CWORD={}\n_quire\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n", words.size());
    auto lines = output_lines("bash --norc " + write("test.bash", test));
    std::erase(lines, "");
    return lines;
  }

  TempFolder folder_;
  std::string bash_script_;
};

TEST_F(Completion, BashOffersCommands) {
  EXPECT_THAT(bash({"se"}), ElementsAre("serve"));
  EXPECT_THAT(bash({""}), IsSupersetOf({"serve", "chat", "complete", "inspect", "bench", "completion"}));
  EXPECT_THAT(bash({"bench", "l"}), ElementsAre("latency"));
}

TEST_F(Completion, BashOffersTheFlagsOfTheCommandAtHand) {
  EXPECT_THAT(bash({"serve", "--max-num"}), IsSupersetOf({"--max-num-seqs", "--max-num-batched-tokens"}));
  EXPECT_THAT(bash({"serve", "--no-enable"}), Contains("--no-enable-prefix-caching"));
  EXPECT_THAT(bash({"serve", "model.gguf", "--port", "8000", "--served"}), Contains("--served-model-name"));
  EXPECT_THAT(bash({"chat", "--ap"}), IsEmpty());
  EXPECT_THAT(bash({"bench", "serve", "--request-r"}), Contains("--request-rate"));
}

TEST_F(Completion, BashOffersChoices) {
  EXPECT_THAT(bash({"serve", "--preemption-mode", ""}), ElementsAre("recompute", "swap", "auto"));
  EXPECT_THAT(bash({"serve", "--preemption-mode", "=", "s"}), ElementsAre("swap"));
  EXPECT_THAT(bash({"serve", "--kv-cache-dtype", "="}), Contains("fp16"));
  EXPECT_THAT(bash({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(bash({"serve", "--port", ""}), IsEmpty());
  EXPECT_THAT(bash({"serve", "--dry-run", "--po"}), Contains("--port"));
  EXPECT_THAT(bash({"bench", "--help", "lat"}), ElementsAre("latency"));
}

TEST_F(Completion, BashOffersFilesAndFolders) {
  write("a model.gguf", "");
  std::filesystem::create_directory(folder_.path() / "a folder");
  EXPECT_THAT(bash({"serve", "a"}), UnorderedElementsAre("a model.gguf", "a folder"));
  EXPECT_THAT(bash({"serve", "--config", "a"}), Contains("a model.gguf"));
  EXPECT_THAT(bash({"serve", "--swap-dir", "a"}), ElementsAre("a folder"));
}

TEST_F(Completion, FishOffersTheSame) {
  if (!has_shell("fish")) GTEST_SKIP() << "no fish on this machine";
  const std::string source = "fish --no-config -c 'source " + script("fish") + "; cd " +
                             folder_.path().string() + "; complete -C \"quire ";
  const auto fish = [&](const std::string& line) {
    auto lines = output_lines(source + line + "\"'");
    for (std::string& offered : lines) offered = offered.substr(0, offered.find('\t'));
    return lines;
  };
  write("model.gguf", "");
  EXPECT_THAT(fish("se"), ElementsAre("serve"));
  EXPECT_THAT(fish("bench l"), ElementsAre("latency"));
  EXPECT_THAT(fish("serve --max-num"), IsSupersetOf({"--max-num-seqs", "--max-num-batched-tokens"}));
  EXPECT_THAT(fish("serve --preemption-mode "), UnorderedElementsAre("recompute", "swap", "auto"));
  EXPECT_THAT(fish("serve --port "), IsEmpty());
  EXPECT_THAT(fish("serve mod"), ElementsAre("model.gguf"));
  EXPECT_THAT(fish("serve --config mod"), ElementsAre("model.gguf"));
  EXPECT_THAT(fish("chat --api"), IsEmpty());
}

TEST_F(Completion, ZshOffersTheSame) {
  if (!has_shell("zsh")) GTEST_SKIP() << "no zsh on this machine";
  // The functions that only a line editor has print what they are given.
  const std::string around =
      "compdef() { : }\n"
      "compset() { return 1 }\n"
      "compadd() { shift; print -l -- \"$@\" }\n"
      "_describe() { print -l -- \"${(@P)2%%:*}\" }\n"
      "_files() { print -- files \"$@\" }\n"
      "source " +
      script("zsh") + "\n";
  const auto zsh = [&](std::vector<std::string> words) {
    std::string test = around + "words=(quire";
    for (const std::string& word : words) test += " '" + word + "'";
    test += fmt::format(")\nCURRENT={}\nPREFIX='{}'\n_quire\n", words.size() + 1, words.back());
    return output_lines("zsh -f " + write("test.zsh", test));
  };
  EXPECT_THAT(zsh({""}), IsSupersetOf({"serve", "chat", "bench"}));
  EXPECT_THAT(zsh({"bench", ""}), IsSupersetOf({"latency", "serve"}));
  EXPECT_THAT(zsh({"serve", "--"}), IsSupersetOf({"--max-num-seqs", "--port", "--no-log-requests"}));
  EXPECT_THAT(zsh({"chat", "--"}), Not(Contains("--port")));
  EXPECT_THAT(zsh({"serve", "--preemption-mode", ""}), ElementsAre("recompute", "swap", "auto"));
  EXPECT_THAT(zsh({"serve", "--config", ""}), ElementsAre("files"));
  EXPECT_THAT(zsh({"serve", "--swap-dir", ""}), ElementsAre("files -/"));
  EXPECT_THAT(zsh({"serve", ""}), ElementsAre("files"));
  EXPECT_THAT(zsh({"serve", "--port", ""}), IsEmpty());
}

TEST(CompletionScript, QuotesWhatHelpSays) {
  CLI::App app("it's", "quire");
  app.add_subcommand("a", "it's one: 'x'")->add_flag("--b")->description("don't $HOME `x` \\");
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(app, shell);
    ASSERT_TRUE(script);
    if (!has_shell(shell)) continue;
    TempFolder folder;
    std::ofstream(folder.file("script")) << *script;
    EXPECT_EQ(std::system((std::string(shell) + " -n " + folder.file("script")).c_str()), 0) << *script;
  }
  EXPECT_FALSE(completion_script(app, "powershell"));
}

}  // namespace
}  // namespace quire
