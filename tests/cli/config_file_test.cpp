#include "cli/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/rng.h"
#include "cli/field_flags.h"
#include "config/engine_config.h"
#include "tests/base/temp_folder.h"

namespace quire {
namespace {

using testing::HasSubstr;

std::string yaml_refusal(std::string_view yaml) {
  const auto settings = parse_config(yaml);
  return settings ? "" : settings.error().message;
}

TEST(ConfigFile, ReadsScalarsListsAndComments) {
  const auto settings = parse_config(
      "# a server\n"
      "port: 8000\n"
      "max_num_seqs: 12   # dashes and underscores are one\n"
      "api-key: [\"a\", b]\n"
      "served-model-name:\n  - small\n  - 'gpt: x'\n"
      "host: \"\"\n");
  ASSERT_TRUE(settings) << settings.error().message;
  std::vector<std::string> read;
  for (const ConfigSetting& row : *settings)
    read.push_back(fmt::format("{} {}={}", row.line, row.name, row.value));
  EXPECT_THAT(read, testing::ElementsAre("2 port=8000", "3 max-num-seqs=12", "4 api-key=a,b",
                                         "5 served-model-name=small,gpt: x", "8 host="));
  EXPECT_TRUE(parse_config("")->empty());
  EXPECT_TRUE(parse_config("# nothing\n")->empty());
  EXPECT_TRUE(parse_config("{}")->empty());
}

TEST(ConfigFile, RefusesWhatIsNoSettings) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"port: 1\nPORT_: 2\nport: 3\n", "line 3: 'port' is set twice"},
      {"max-num-seqs: 1\nmax_num_seqs: 2\n", "line 2: 'max_num_seqs' is set twice"},
      {"a: 1\nport:\n  number: 8000\n", "line 3: 'port' is a map: settings are not nested"},
      {"port: [1, [2]]\n", "line 1: 'port' is a list within a list"},
      {"api-key: [{a: b}]\n", "line 1: 'api-key' is a map"},
      {"api-key: [\"a,b\"]\n", "line 1: the item 'a,b' of 'api-key' has a comma"},
      {"- port\n", "line 1: a list stands where"},
      {"port 8000\n", "line 1: 'port 8000' is no setting"},
      {"port:\n", "'port' has no value"},
      {"port: ~\n", "line 1: 'port' has no value"},
      {"api-key: [a, ]\nport: &x 1\n", "line 2: anchors (&name)"},
      {"port: 1\nhost: *x\n", "line 2: "},
      {"port: !!int 1\n", "line 1: tags (!name)"},
      {"port: 1\n---\nport: 2\n", "line 2: a second document"},
      {"host: \"\\q\"\n", "line 1: no valid YAML"},
      {"port: 1\n\tport: 2\n", "no valid YAML"},
      {std::string("port: 1\0", 8), "no text in UTF-8"},
      {"port: \xff\n", "no text in UTF-8"},
      {"? [a, b]\n: 1\n", "line 1: a list stands where"},
  };
  for (const auto& [yaml, reason] : cases) EXPECT_THAT(yaml_refusal(yaml), HasSubstr(reason)) << yaml;
}

TEST(ConfigFile, StopsAtTheFirstLevelOfWhatWouldGrow) {
  std::string laughs = "a: &a [x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    laughs += fmt::format("{0}: &{0} [*{1}, *{1}]\n", name, static_cast<char>(name - 1));
  }
  EXPECT_THAT(yaml_refusal(laughs), HasSubstr("line 1: anchors"));
  EXPECT_THAT(yaml_refusal("a: " + std::string(100'000, '[')), HasSubstr("line 1: "));
  EXPECT_THAT(yaml_refusal(std::string(100'000, '{')), HasSubstr("line 1: "));
  std::string maps;
  for (int depth = 0; depth < 2000; ++depth) maps += std::string(static_cast<size_t>(depth), ' ') + "a:\n";
  EXPECT_THAT(yaml_refusal(maps), HasSubstr("settings are not nested"));
}

TEST(ConfigFile, SurvivesAnyBytes) {
  Rng rng(7);
  constexpr std::string_view kPieces[] = {"a",  ": ",    "\n", " ",  "- ",  "[",        "]", "{", "}",
                                          ",",  "\"",    "'",  "&a", "*a",  "#",        "|", ">", "!",
                                          "? ", "---\n", "%",  "\t", "\\x", "\xc3\xa9", "1"};
  for (int round = 0; round < 2000; ++round) {
    std::string yaml;
    for (int piece = 0; piece < 40; ++piece) yaml += kPieces[rng.below(std::size(kPieces))];
    if (const auto settings = parse_config(yaml)) {
      for (const ConfigSetting& row : *settings) EXPECT_GE(row.line, 1) << yaml;
    }
  }
}

class ConfigFlags : public testing::Test {
 protected:
  ConfigFlags() {
    add_field_flags(app_, config_, engine_fields(), "Engine");
    app_.add_option("MODEL", config_.model, "");
    app_.get_option("--threads")->envname("QUIRE_TEST_THREADS");
    add_config_flag(app_);
  }
  ~ConfigFlags() override { unsetenv("QUIRE_TEST_THREADS"); }

  Expected<> apply(std::string_view yaml, std::vector<std::string> arguments = {}) {
    std::ofstream(folder_.file("quire.yaml")) << yaml;
    arguments.insert(arguments.begin(), {"--config", folder_.file("quire.yaml")});
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    return apply_config_file(app_);
  }

  TempFolder folder_;
  CLI::App app_;
  EngineConfig config_;
};

TEST_F(ConfigFlags, SetWhatTheCommandLineAndTheEnvironmentLeave) {
  ASSERT_EQ(setenv("QUIRE_TEST_THREADS", "3", 1), 0);
  const auto applied = apply(
      "model: /models/x.gguf\nthreads: 5\nblock-size: 8\nmax_num_seqs: 6\nkv-cache-memory: 1GiB\n"
      "enable-prefix-caching: No\n",
      {"--max-num-seqs", "7"});
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(config_.model, "/models/x.gguf");
  EXPECT_EQ(config_.threads, 3);
  EXPECT_EQ(config_.block_size, 8);
  EXPECT_EQ(config_.max_num_seqs, 7);
  EXPECT_EQ(config_.kv_cache_memory_bytes, 1 << 30);
  EXPECT_FALSE(config_.enable_prefix_caching);
}

TEST_F(ConfigFlags, SetWhatIsRequired) {
  std::string output;
  app_.add_option("-o,--output-file", output)->required();
  const RequiredFlags required(app_);
  ASSERT_TRUE(apply("output-file: answers.jsonl\n"));
  EXPECT_TRUE(required.check(app_));
  EXPECT_EQ(output, "answers.jsonl");
}

TEST_F(ConfigFlags, DoNotReplaceWhatIsRequired) {
  std::string output;
  app_.add_option("-o,--output-file", output)->required();
  const RequiredFlags required(app_);
  ASSERT_TRUE(apply("threads: 1\n"));
  EXPECT_EQ(required.check(app_).error().message, "--output-file is required");
  ASSERT_TRUE(apply("threads: 1\n", {"-o", "a"}));
  EXPECT_TRUE(required.check(app_));
}

TEST_F(ConfigFlags, WhatIsForServingIsPassedOverByOtherCommands) {
  CLI::App all;
  CLI::App* serve = all.add_subcommand("serve");
  CLI::App* other = all.add_subcommand("other");
  std::string host;
  int threads = 0;
  serve->add_option("--host", host);
  for (CLI::App* command : {serve, other}) {
    command->add_option("--threads", threads);
    add_config_flag(*command);
  }
  std::ofstream(folder_.file("all.yaml")) << "host: a\nthreads: 3\n";
  all.parse("other --config " + folder_.file("all.yaml"));
  const auto applied = apply_config_file(*other);
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(threads, 3);
  EXPECT_EQ(host, "");
  std::ofstream(folder_.file("all.yaml")) << "hosts: a\n";
  EXPECT_THAT(apply_config_file(*other).error().message, HasSubstr("unknown key 'hosts'"));
}

TEST_F(ConfigFlags, ErrorsNameFileLineAndKey) {
  const std::string file = "the configuration '" + folder_.file("quire.yaml") + "', ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\nmax-num-seq: 3\n", "line 2: unknown key 'max-num-seq'; did you mean max-num-seqs?"},
      {"block-size: 7.5\n", "line 1: --block-size: '7.5' is not a whole number"},
      {"threads: 1\nswap-space: lots\n", "line 2: --swap-space: 'lots'"},
      {"threads: [1, 2]\n", "line 1: --threads: '1,2' is not a number"},
      {"enable-prefix-caching: 2\n", "line 1: 'enable-prefix-caching' is true or false, not '2'"},
      {"no-enable-prefix-caching: true\n", "write 'enable-prefix-caching: false'"},
      {"config: other.yaml\n", "line 1: unknown key 'config'"},
      {"preemption-mode: never\n", "'never' is none of recompute, swap, auto"},
      {"threads: 1\nthreads: 2\n", "line 2: 'threads' is set twice"},
      {"kv-cache-memory: 1GiB\nkv-cache-memory-bytes: 2GiB\n",
       "line 2: 'kv-cache-memory-bytes' is another name of 'kv-cache-memory', which is set already"},
  };
  for (const auto& [yaml, reason] : cases) {
    const auto applied = apply(yaml);
    ASSERT_FALSE(applied) << yaml;
    EXPECT_THAT(applied.error().message, HasSubstr(reason));
    EXPECT_EQ(applied.error().message.find(file), 0u) << applied.error().message;
  }
}

TEST_F(ConfigFlags, ReadNoFolderNoMissingAndNoEndlessFile) {
  app_.parse("--config /nonexistent/quire.yaml");
  EXPECT_THAT(apply_config_file(app_).error().message,
              HasSubstr("cannot open the configuration '/nonexistent/quire.yaml': No such file"));
  app_.parse("--config " + folder_.path().string());
  EXPECT_THAT(apply_config_file(app_).error().message, HasSubstr("is a folder"));
  app_.parse("--config /dev/zero");
  EXPECT_THAT(apply_config_file(app_).error().message, HasSubstr("has more than 256 KiB"));
}

}  // namespace
}  // namespace quire
