#include "cli/suggestion.h"

#include <gtest/gtest.h>

#include "cli/field_flags.h"
#include "config/engine_config.h"

namespace quire {
namespace {

std::string describe(std::vector<std::string> unknown) {
  CLI::App app;
  EngineConfig config;
  add_field_flags(app, config, engine_fields(), "Engine");
  return describe_unknown(app, unknown);
}

TEST(Suggestion, NamesTheNearestFlag) {
  EXPECT_EQ(describe({"--max-num-seq", "4"}), "unknown flag --max-num-seq; did you mean --max-num-seqs?");
  EXPECT_EQ(describe({"--max_num_seqs=4"}), "unknown flag --max_num_seqs; did you mean --max-num-seqs?");
  EXPECT_EQ(describe({"word", "--block-sise"}), "unknown flag --block-sise; did you mean --block-size?");
}

TEST(Suggestion, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(
      describe({"--enable-auto-tool-choice"}),
      "unknown flag --enable-auto-tool-choice: tools may be called wherever the model's chat template "
      "has them");
  EXPECT_EQ(describe({"-tp", "2"}),
            "unknown flag -tp: one process computes a model here; --threads says by how many threads");
  EXPECT_EQ(describe({"--completely-different-thing"}), "unknown flag --completely-different-thing");
}

TEST(Suggestion, ANoIsNotWhatSomebodyMeantWhoSaidYes) {
  EXPECT_EQ(describe({"--enable-prefix-cachin"}),
            "unknown flag --enable-prefix-cachin; did you mean --enable-prefix-caching?");
  EXPECT_EQ(describe({"--no-enable-prefix-cachin"}),
            "unknown flag --no-enable-prefix-cachin; did you mean --no-enable-prefix-caching?");
  CLI::App app;
  app.add_flag("--no-log-requests");
  EXPECT_EQ(describe_unknown(app, std::vector<std::string>{"--log-request"}), "unknown flag --log-request");
}

// Only where the command has what they name.
TEST(Suggestion, FlagsOfOtherServersAreAnsweredWithThoseOfTheCommand) {
  const auto say = [](const CLI::App& app, std::string flag) {
    return describe_unknown(app, std::vector<std::string>{std::move(flag)});
  };
  CLI::App app;
  EXPECT_EQ(say(app, "--enable-log-requests"), "unknown flag --enable-log-requests");
  EXPECT_EQ(say(app, "-m"), "unknown flag -m");
  app.add_flag("--log-prompts");
  EXPECT_EQ(say(app, "--enable-log-requests"),
            "unknown flag --enable-log-requests: requests are in the log anyhow; --log-prompts has their "
            "texts there too");
  std::string model;
  app.add_option("MODEL", model);
  EXPECT_EQ(say(app, "-m"), "unknown flag -m: the model's file comes without a flag, behind the command");
}

TEST(Suggestion, NamesTheNearestCommand) {
  CLI::App app;
  app.add_subcommand("serve");
  app.add_subcommand("chat");
  EXPECT_EQ(describe_unknown(app, std::vector<std::string>{"sevre"}),
            "unknown command 'sevre'; did you mean serve?");
}

TEST(Suggestion, AnArgumentTooMany) {
  EXPECT_EQ(describe({"extra"}), "what is 'extra'? The arguments before it were enough");
}

}  // namespace
}  // namespace quire
