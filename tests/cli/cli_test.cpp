#include "cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

struct Outcome {
  int status;
  std::string out, error;
};

Outcome run(std::vector<std::string> arguments) {
  CaptureStdout();
  CaptureStderr();
  const int status = run_cli(arguments);
  return {status, GetCapturedStdout(), GetCapturedStderr()};
}

TEST(Cli, Version) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("quire " QUIRE_VERSION));
}

TEST(Cli, EveryCommandHasHelp) {
  const std::vector<std::vector<std::string>> commands{{"serve"},
                                                       {"chat"},
                                                       {"complete"},
                                                       {"tokenize"},
                                                       {"inspect"},
                                                       {"bench"},
                                                       {"bench", "latency"},
                                                       {"bench", "throughput"},
                                                       {"bench", "serve"},
                                                       {"bench", "roofline"},
                                                       {"bench", "paper"}};
  const Outcome general = run({"--help"});
  EXPECT_EQ(general.status, 0);
  for (auto command : commands) {
    EXPECT_THAT(general.out, HasSubstr(command[0]));
    const std::string usage = "Usage: quire " + command[0] + (command.size() > 1 ? " " + command[1] : "");
    command.push_back("--help");
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_THAT(outcome.out, HasSubstr(usage));
    EXPECT_EQ(outcome.error, "");
  }
}

TEST(Cli, HelpLinesFitATerminal) {
  const Outcome outcome = run({"serve", "--help"});
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_THAT(outcome.out, HasSubstr("--max-num-batched-tokens TOKENS"));
  EXPECT_THAT(outcome.out, HasSubstr("--[no-]log-requests"));
  EXPECT_THAT(outcome.out, HasSubstr("QUIRE_API_KEY"));
}

TEST(Cli, AMisspeltCommandLineIsTwo) {
  EXPECT_EQ(run({}).status, 2);
  const Outcome command = run({"sevre"});
  EXPECT_EQ(command.status, 2);
  EXPECT_THAT(command.error, HasSubstr("quire: unknown command 'sevre'; did you mean serve?"));
  const Outcome flag = run({"serve", "--max-num-seq", "3"});
  EXPECT_EQ(flag.status, 2);
  EXPECT_THAT(flag.error,
              HasSubstr("quire serve: unknown flag --max-num-seq; did you mean --max-num-seqs?"));
  const Outcome nested = run({"bench", "serve", "--num-prompt", "3"});
  EXPECT_THAT(nested.error,
              HasSubstr("quire bench serve: unknown flag --num-prompt; did you mean --num-prompts?"));
  const Outcome value = run({"serve", "--port", "99999"});
  EXPECT_EQ(value.status, 2);
  EXPECT_THAT(value.error, HasSubstr("--port must be at least 0 and at most 65535, but is 99999"));
  EXPECT_THAT(
      run({"bench"}).error,
      HasSubstr(
          "quire bench: one of latency, throughput, serve, roofline, paper, random-model is required\n"));
}

TEST(Cli, WhatIsWrongIsSaidInOurWords) {
  EXPECT_THAT(run({"serve", "--port", "1", "--port", "2"}).error,
              HasSubstr("quire serve: --port is there more than once\n"));
  EXPECT_THAT(run({"serve", "--port"}).error, HasSubstr("quire serve: --port needs a value\n"));
  EXPECT_THAT(run({"completion", "tcsh"}).error, HasSubstr("'tcsh' is none of bash, zsh, fish"));
}

TEST(Cli, HelpAndVersionMayBeWords) {
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help", "serve"}).out, run({"serve", "--help"}).out);
  EXPECT_EQ(run({"help", "bench", "latency"}).out, run({"bench", "latency", "--help"}).out);
  EXPECT_EQ(run({"version"}).out, run({"--version"}).out);
  EXPECT_EQ(run({"help", "serve", "--port"}).out, run({"serve", "--help"}).out);
  EXPECT_EQ(run({"help"}).status, 0);
  const Outcome misspelt = run({"help", "sevre"});
  EXPECT_EQ(misspelt.status, 2);
  EXPECT_THAT(misspelt.error, HasSubstr("unknown command 'sevre'; did you mean serve?"));
  EXPECT_THAT(run({"help", "bench", "latncy"}).error, HasSubstr("did you mean latency?"));
}

TEST(Cli, AFailureIsOneWithOneLine) {
  const Outcome outcome = run({"tokenize", "/nonexistent/model.gguf", "--text", "x"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.error, HasSubstr("quire: "));
  EXPECT_THAT(outcome.error, HasSubstr("/nonexistent/model.gguf"));
  EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1);
}

TEST(Cli, RequiredFlagsMayStandInAFile) {
  const TempFolder folder;
  const auto batch = [&](std::string_view settings) {
    std::ofstream(folder.file("batch.yaml")) << settings;
    return run({"run-batch", "--config", folder.file("batch.yaml")});
  };
  const Outcome whole = batch("input-file: /nonexistent/in.jsonl\noutput-file: out.jsonl\n");
  EXPECT_EQ(whole.status, 1);
  EXPECT_THAT(whole.error, HasSubstr("/nonexistent/in.jsonl"));
  const Outcome half = batch("input-file: /nonexistent/in.jsonl\n");
  EXPECT_EQ(half.status, 2);
  EXPECT_THAT(half.error, HasSubstr("quire run-batch: --output-file is required\n"));
  EXPECT_EQ(run({"run-batch"}).status, 2);
  EXPECT_EQ(run({"bench", "random-model"}).status, 2);  // which has no --config
}

TEST(Cli, ServesNobodyWhereTheGivenKeyIsEmpty) {
  const std::string reason = "--api-key or QUIRE_API_KEY is set, but names no key";
  for (const char* key : {"", ",", " "}) {
    const Outcome flag = run({"serve", "/nonexistent/model.gguf", "--port", "0", "--api-key", key});
    EXPECT_EQ(flag.status, 1);
    EXPECT_THAT(flag.error, HasSubstr(reason)) << "'" << key << "'";
    ASSERT_EQ(setenv("QUIRE_API_KEY", key, 1), 0);
    const Outcome variable = run({"serve", "/nonexistent/model.gguf", "--port", "0"});
    EXPECT_EQ(variable.status, 1);
    EXPECT_THAT(variable.error, HasSubstr(reason)) << "'" << key << "'";
    unsetenv("QUIRE_API_KEY");
  }
}

TEST(Cli, ADryRunPrintsThePlanAndWhetherItFits) {
  const std::string model = QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  const Outcome fits = run({"serve", model, "--dry-run", "--kv-cache-memory", "45MiB", "--max-num-seqs",
                            "4", "--max-model-len", "1024", "--served-model-name", "small"});
  EXPECT_EQ(fits.status, 0) << fits.error;
  EXPECT_THAT(fits.out, HasSubstr("would be served as small on 127.0.0.1 port 8000"));
  EXPECT_THAT(fits.out, HasSubstr("KV pool           45.0 MiB       47185920 bytes  128 blocks"));
  EXPECT_THAT(fits.out, HasSubstr("4 sequences at most; the pool holds 2 of the longest, 4 of 512 tokens"));
  const Outcome large = run({"serve", model, "--dry-run", "--kv-cache-memory", "1000TiB"});
  EXPECT_EQ(large.status, 1);
  EXPECT_THAT(large.out, HasSubstr("KV pool"));
  EXPECT_THAT(large.error, HasSubstr("lower --kv-cache-memory"));
  EXPECT_EQ(run({"serve", "/nonexistent/model.gguf", "--dry-run"}).status, 1);
}

TEST(Cli, TokenizesBothWays) {
  const std::string model = QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  const Outcome ids = run({"tokenize", model, "--text", "Hello <|im_end|>"});
  ASSERT_EQ(ids.status, 0) << ids.error;
  const Outcome special = run({"tokenize", model, "--text", "Hello <|im_end|>", "--parse-special"});
  EXPECT_NE(ids.out, special.out);
  for (const std::string& printed : {ids.out, special.out}) {
    EXPECT_EQ(run({"tokenize", model, "--decode", "--text", printed}).out, "Hello <|im_end|>\n");
  }
  const Outcome wrong = run({"tokenize", model, "--decode", "--text", "1 two 3"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.error, HasSubstr("'two' is no token id"));
  EXPECT_EQ(run({"tokenize", model, "--decode", "--text", "49152"}).status, 1);
}

}  // namespace
}  // namespace quire
