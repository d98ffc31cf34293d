#include "cli/field_flags.h"

#include <gtest/gtest.h>

#include "config/engine_config.h"
#include "config/sampling_params.h"
#include "server/server_config.h"

namespace quire {
namespace {

template <class Struct>
Struct parse(std::span<const Field<Struct>> fields, std::vector<std::string> arguments) {
  CLI::App app;
  Struct target;
  add_field_flags(app, target, fields, "Flags");
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return target;
}

EngineConfig engine(std::vector<std::string> arguments) {
  return parse(engine_fields(), std::move(arguments));
}

std::string refusal(std::vector<std::string> arguments) {
  try {
    engine(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "";
}

TEST(FieldFlags, SetEveryKindOfMember) {
  const EngineConfig config =
      engine({"--max-num-seqs", "8", "--kv-cache-dtype=bf16", "--kv-cache-memory-bytes", "1.5GiB", "--seed",
              "-3", "--block-size", "32"});
  EXPECT_EQ(config.max_num_seqs, 8);
  EXPECT_EQ(config.kv_cache_dtype, "bf16");
  EXPECT_EQ(config.kv_cache_memory_bytes, int64_t{3} << 29);
  EXPECT_EQ(config.seed, -3);
  EXPECT_EQ(config.block_size, 32);
}

TEST(FieldFlags, LeaveTheRestAsItWas) {
  const EngineConfig config = engine({});
  EXPECT_EQ(config.max_num_seqs, EngineConfig{}.max_num_seqs);
  EXPECT_FALSE(config.kv_cache_memory_bytes);
}

TEST(FieldFlags, KnowAliases) {
  EXPECT_EQ(engine({"--kv-cache-memory", "64MiB"}).kv_cache_memory_bytes, 64 << 20);
}

TEST(FieldFlags, ReadSizesInEveryUnit) {
  EXPECT_EQ(engine({"--kv-cache-memory", "1048576"}).kv_cache_memory_bytes, 1 << 20);
  EXPECT_EQ(engine({"--kv-cache-memory", "2 KiB"}).kv_cache_memory_bytes, 2048);
  EXPECT_EQ(engine({"--kv-cache-memory", "1G"}).kv_cache_memory_bytes, 1 << 30);
  EXPECT_NE(refusal({"--kv-cache-memory", "4 furlongs"}), "");
  EXPECT_NE(refusal({"--kv-cache-memory", "-1"}), "");
}

TEST(FieldFlags, GibibytesAreTheBareUnitWhereTheFieldSaysSo) {
  EXPECT_EQ(parse_field_number("4", FieldUnit::kGibibytes, false).value(), 4);
  EXPECT_EQ(parse_field_number("512MiB", FieldUnit::kGibibytes, false).value(), 0.5);
}

TEST(FieldFlags, SayTheFlagAndTheRange) {
  EXPECT_EQ(refusal({"--max-num-seqs", "0"}),
            "--max-num-seqs must be at least 1 and at most 16384, but is 0");
  EXPECT_EQ(refusal({"--max-num-seqs", "many"}), "--max-num-seqs: 'many' is not a number");
  EXPECT_EQ(refusal({"--max-num-seqs", "1.5"}), "--max-num-seqs: '1.5' is not a whole number");
  EXPECT_EQ(refusal({"--max-num-seqs", "nan"}), "--max-num-seqs: 'nan' is not a number");
  EXPECT_EQ(refusal({"--max-num-seqs", "99999999999999999999"}),
            "--max-num-seqs must be at least 1 and at most 16384, but is 1e+20");
  EXPECT_EQ(refusal({"--activations", "int4"}), "--activations: 'int4' is none of int8, fp32");
  EXPECT_NE(refusal({"--activations", "int8|fp32"}), "");
  EXPECT_NE(refusal({"--seed", "1e30"}), "");
  EXPECT_NE(refusal({"--max-num-seqs"}), "");
}

TEST(FieldFlags, BooleansCanBeNegated) {
  EXPECT_TRUE(parse(server_fields(), {}).log_requests);
  EXPECT_FALSE(parse(server_fields(), {"--no-log-requests"}).log_requests);
  EXPECT_TRUE(parse(sampling_fields(), {"--ignore-eos"}).ignore_eos);
}

TEST(FieldFlags, NegativeNumbersAreValues) {
  EXPECT_EQ(parse(sampling_fields(), {"--top-k", "-1", "--presence-penalty", "-1.5"}).top_k, -1);
  EXPECT_EQ(parse(sampling_fields(), {"--presence-penalty", "-1.5"}).presence_penalty, -1.5);
}

TEST(FieldFlags, ExceptLeavesFieldsOut) {
  CLI::App app;
  SamplingParams params;
  const std::vector<std::string_view> except{"n"};
  add_field_flags(app, params, sampling_fields(), "Sampling", except);
  EXPECT_EQ(app.get_option_no_throw("--n"), nullptr);
  EXPECT_NE(app.get_option_no_throw("--top-p"), nullptr);
}

TEST(FieldFlags, HelpHasEveryFieldItsUnitAndItsDefault) {
  CLI::App app;
  EngineConfig config;
  add_field_flags(app, config, engine_fields(), "Engine");
  const std::string help = app.help();
  for (const auto& field : engine_fields())
    EXPECT_NE(help.find(flag_name(field.name)), std::string::npos) << field.name;
  EXPECT_NE(help.find("--kv-cache-memory-bytes,--kv-cache-memory SIZE"), std::string::npos) << help;
  EXPECT_NE(help.find("(default: 128)"), std::string::npos);
  EXPECT_NE(help.find("(default: auto)"), std::string::npos);
  EXPECT_NE(help.find("auto|fp32|fp16|bf16"), std::string::npos);
}

}  // namespace
}  // namespace quire
