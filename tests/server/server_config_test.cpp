#include "server/server_config.h"

#include <gtest/gtest.h>

#include <set>

namespace quire {
namespace {

TEST(ServerConfig, DefaultsAreValidAndDenyByDefault) {
  EXPECT_TRUE(validate(ServerConfig{}));
  EXPECT_EQ(ServerConfig{}.host, "127.0.0.1");
  EXPECT_EQ(ServerConfig{}.port, 8000);
}

TEST(ServerConfig, FieldsHaveNamesOfTheirOwnAndHelp) {
  std::set<std::string_view> names;
  for (const auto& field : server_fields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_FALSE(field.help.empty()) << field.name;
  }
  for (const auto& field : engine_fields()) EXPECT_FALSE(names.contains(field.name)) << field.name;
}

TEST(ServerConfig, NamesTheFieldAtFault) {
  ServerConfig config;
  config.port = 65536;
  EXPECT_EQ(validate(config).error().param, "port");
  config = {};
  config.host.clear();
  EXPECT_EQ(validate(config).error().param, "host");
  config = {};
  config.idle_timeout = 0;
  EXPECT_EQ(validate(config).error().param, "idle_timeout");
  config = {};
  config.max_engine_viewers = -1;
  EXPECT_EQ(validate(config).error().param, "max_engine_viewers");
  config = {};
  config.max_body_bytes = int64_t{1} << 40;
  EXPECT_EQ(validate(config).error().param, "max_body_bytes");
  config = {};
  config.ssl_certfile = "cert.pem";
  EXPECT_EQ(validate(config).error().param, "ssl_keyfile");
  std::swap(config.ssl_certfile, config.ssl_keyfile);
  EXPECT_EQ(validate(config).error().param, "ssl_certfile");
}

TEST(ServerConfig, ServedNames) {
  using Names = std::vector<std::string>;
  ServerConfig config;
  EngineConfig engine;
  engine.model = "models/Some-Model.Q4_1.gguf";
  EXPECT_EQ(served_model_names(config, engine), Names{"Some-Model.Q4_1"});
  engine.model = "plain";
  EXPECT_EQ(served_model_names(config, engine), Names{"plain"});
  engine.model = "folder/.gguf";
  EXPECT_EQ(served_model_names(config, engine), Names{"model"});
  config.served_model_name = "a, b,,c ";
  EXPECT_EQ(served_model_names(config, engine), (Names{"a", "b", "c"}));
}

}  // namespace
}  // namespace quire
