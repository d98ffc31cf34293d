// Where an OpenTelemetry collector listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

struct OtlpEndpoint {
  std::string host;
  uint16_t port = 4318;
  std::string path = "/v1/traces";
};

// "http://host:4318", where /v1/traces follows by itself, or the whole address. kInvalidArgument, param
// otlp_endpoint: anything else, https among it.
Expected<OtlpEndpoint> parse_otlp_endpoint(std::string_view url);

}  // namespace quire
