#include "cli/flag_groups.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/field_flags.h"
#include "cli/help_formatter.h"
#include "config/engine_config.h"
#include "server/server_config.h"

namespace quire {
namespace {

TEST(FlagGroups, StandInOneOrderWhateverOrderFlagsCameIn) {
  CLI::App app("An app.", "tool");
  app.formatter(std::make_shared<HelpFormatter>());
  ServerConfig server;
  EngineConfig engine;
  add_field_flags(app, server, server_fields(), "");
  add_field_flags(app, engine, engine_fields(), "");
  const std::string help = app.help();
  size_t before = 0;
  for (const std::string_view heading :
       {"Options:", "Model:", "Memory:", "Batching:", "HTTP:", "Security:", "Observability:"}) {
    const size_t at = help.find("\n" + std::string(heading) + "\n");
    ASSERT_NE(at, std::string::npos) << heading << help;
    EXPECT_GT(at + 1, before) << heading;
    before = at;
  }
  EXPECT_GT(help.find("--kv-cache-memory"), help.find("\nMemory:\n"));
  EXPECT_LT(help.find("--kv-cache-memory"), help.find("\nBatching:\n"));
}

TEST(FlagGroups, EveryFieldHasItsGroup) {
  const auto expect_group = [](std::string_view field) {
    EXPECT_NE(flag_group(field), "Options") << field;
  };
  for (const auto& field : server_fields()) expect_group(field.name);
  for (const auto& field : engine_fields()) expect_group(field.name);
}

TEST(FlagGroups, AFieldOfNoGroupIsAnOption) {
  EXPECT_EQ(flag_group("no_such_field"), "Options");
  EXPECT_EQ(flag_group("api_key"), "Security");
}

}  // namespace
}  // namespace quire
