// What an operator sets for the HTTP front. `quire serve` takes the fields of this table beside those of
// EngineConfig.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/engine_config.h"
#include "config/field_table.h"

namespace quire {

struct ServerConfig {
  std::string host = "127.0.0.1";  // an address or a name; "0.0.0.0" and "::" are all interfaces
  int32_t port = 8000;             // 0: one that is free (HttpServer::port tells which)
  std::string api_key;             // empty: none is asked for; several are separated by commas
  std::string api_key_file;        // more keys, with names and limits (server/access/api_key_file.h)
  std::string served_model_name;   // empty: the model file's name; several are separated by commas

  std::string ssl_certfile;          // PEM, with its chain; HTTPS is spoken if it is set
  std::string ssl_keyfile;           // PEM
  std::string ssl_keyfile_password;  // if the key is encrypted

  std::string allowed_hosts;    // names that clients may call it by (server/access/allowed_hosts.h)
  std::string allowed_origins;  // of web pages that may call the API: "*", or several with commas

  int32_t http_threads = 2;
  int32_t max_connections = 4096;
  int64_t max_body_bytes = 16 << 20;
  int64_t max_header_bytes = 16 << 10;
  double header_timeout = 10;             // from a request's first byte to the end of its header
  double body_timeout = 60;               // from the end of the header to the end of the body
  double idle_timeout = 75;               // a kept connection between two requests
  double write_timeout = 30;              // a client that takes no byte for so long has left
  double stream_keep_alive = 15;          // of silence in a stream, then a comment; 0: none
  double shutdown_timeout = 30;           // what runs may finish within it when the server drains
  std::string prefix_file;                // of prefixes to pin at the start; empty: none
  int32_t max_engine_viewers = 4;         // streams of /v1/engine/events at once
  std::string tool_call_parser = "auto";  // these two by what the model's chat template says
  std::string reasoning_parser = "auto";
  bool ignore_unknown_fields = false;  // of requests; else each is a 400 that names it
  std::string pooling = "auto";        // of embeddings: mean, last or cls; auto: as the file says, or last
  int64_t response_store = 64 << 20;   // of /v1/responses, to go on from; 0: none is stored
  bool log_requests = true;            // one line a request: never a key, nor without log_prompts any text
  bool log_prompts = false;            // in that line, the beginnings of prompt and completion
  std::string otlp_endpoint;           // of an OpenTelemetry collector; empty: requests are not traced
  std::string otlp_service_name = "quire";
};

std::span<const Field<ServerConfig>> server_fields();

// Ranges and combinations. Errors name the field.
Expected<> validate(const ServerConfig& config);

// The non-empty pieces of `text` between commas, without the spaces around them: how lists are given in one
// flag.
std::vector<std::string> split_list(std::string_view text);

// The names that requests may give as `model`, at least one; answers carry the first. Without
// served_model_name it is the model's file name without its extension.
std::vector<std::string> served_model_names(const ServerConfig& config, const EngineConfig& engine);

}  // namespace quire
