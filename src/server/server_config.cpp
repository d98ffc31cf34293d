#include "server/server_config.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "chat/output_style.h"
#include "config/pooling.h"
#include "server/access/allowed_hosts.h"
#include "server/access/cors.h"
#include "server/trace/otlp_endpoint.h"

namespace quire {
namespace {

using C = ServerConfig;
constexpr double kDaySeconds = 86400;

const auto kFields = std::to_array<Field<C>>({
    {"host", &C::host, "address to listen on; 0.0.0.0 is every interface"},
    {"port", &C::port, "TCP port; 0: any that is free", 0, 65535},
    {"api_key", &C::api_key, "key that clients must send; several with commas; also from QUIRE_API_KEY"},
    {"api_key_file", &C::api_key_file,
     "YAML file of more keys, each with a name and limits of its own; read again at SIGHUP"},
    {"served_model_name", &C::served_model_name,
     "name of the model in the API; several with commas; without it, the file's name"},
    {"ssl_certfile", &C::ssl_certfile, "certificate in PEM, then those it rests on; HTTPS instead of HTTP"},
    {"ssl_keyfile", &C::ssl_keyfile, "the certificate's private key in PEM"},
    {"ssl_keyfile_password", &C::ssl_keyfile_password,
     "password of an encrypted key; rather give it as QUIRE_SSL_KEYFILE_PASSWORD"},
    {"allowed_hosts", &C::allowed_hosts,
     "names that clients may call this server by, beside addresses, localhost and --host; several with "
     "commas, "
     "or *; without it, any but on the loopback without a key"},
    {"allowed_origins", &C::allowed_origins,
     "sites whose pages may call the API (CORS), like https://app.example.org; several with commas, or *"},
    {"http_threads", &C::http_threads, "threads that parse and tokenize requests", 1, 64},
    {"max_connections", &C::max_connections, "most connections at once; one more waits to be accepted", 1,
     65536},
    {"max_body_bytes", &C::max_body_bytes, "longest request body; a longer one is answered with 413", 1024,
     1 << 30, false, FieldUnit::kBytes},
    {"max_header_bytes", &C::max_header_bytes, "longest request header; a longer one is answered with 431",
     1024, 1 << 20, false, FieldUnit::kBytes},
    {"header_timeout", &C::header_timeout, "for a request's header to arrive", 0, kDaySeconds, true,
     FieldUnit::kSeconds},
    {"body_timeout", &C::body_timeout, "for a request's body to arrive", 0, kDaySeconds, true,
     FieldUnit::kSeconds},
    {"idle_timeout", &C::idle_timeout, "that a connection is kept between requests", 0, kDaySeconds, true,
     FieldUnit::kSeconds},
    {"write_timeout", &C::write_timeout, "after which a client that reads nothing is gone", 0, kDaySeconds,
     true, FieldUnit::kSeconds},
    {"stream_keep_alive", &C::stream_keep_alive,
     "of silence in a stream after which a comment is sent, lest a proxy cut it off; 0: none", 0,
     kDaySeconds, false, FieldUnit::kSeconds},
    {"shutdown_timeout", &C::shutdown_timeout, "that running requests may take after SIGTERM", 0,
     kDaySeconds, false, FieldUnit::kSeconds},
    {"prefix_file", &C::prefix_file,
     "prefixes to pin before anybody is served: the JSON body of one POST /v1/prefixes a line"},
    {"max_engine_viewers", &C::max_engine_viewers,
     "most engine views open at once (/v1/engine/events, for the page); 0: there are none", 0, 64},
    {"ignore_unknown_fields", &C::ignore_unknown_fields,
     "pass over fields of requests that are not known, instead of answering with 400"},
    {"tool_call_parser", &C::tool_call_parser,
     "how the model writes calls of tools; auto: as its chat template says", 0, 0, false, FieldUnit::kNone,
     kToolParserNames},
    {"reasoning_parser", &C::reasoning_parser,
     "how the model marks its reasoning; auto: as its chat template says", 0, 0, false, FieldUnit::kNone,
     kReasoningParserNames},
    {"response_store", &C::response_store,
     "room for answers of /v1/responses that later ones go on from; 0: none is stored", 0, 0x1.0p40, false,
     FieldUnit::kBytes},
    {"pooling", &C::pooling,
     "how hidden states become an embedding; auto: as the model file says, else last", 0, 0, false,
     FieldUnit::kNone, "auto|mean|last|cls"},
    {"log_requests", &C::log_requests, "log one line a request (never its text)"},
    {"log_prompts", &C::log_prompts, "in that line, also the first 4 KiB of prompt and of completion"},
    {"otlp_endpoint", &C::otlp_endpoint,
     "http://HOST:4318 of an OpenTelemetry collector, which gets a trace of each request (never its text); "
     "also from OTEL_EXPORTER_OTLP_ENDPOINT; without it, none is made"},
    {"otlp_service_name", &C::otlp_service_name,
     "what traces call this server; also from OTEL_SERVICE_NAME"},
});

}  // namespace

std::span<const Field<ServerConfig>> server_fields() { return kFields; }

Expected<> validate(const ServerConfig& config) {
  for (const auto& field : kFields) {
    Expected<> checked = std::visit(
        [&](auto member) -> Expected<> {
          using Value = std::remove_cvref_t<decltype(config.*member)>;
          if constexpr (std::is_arithmetic_v<Value>) {
            return field.check(static_cast<double>(config.*member));
          } else if constexpr (std::is_same_v<Value, std::string>) {
            return field.check_choice(config.*member);
          } else {
            return {};
          }
        },
        field.member);
    if (!checked) return checked;
  }
  if (config.pooling != "auto" && !parse_pooling(config.pooling)) {
    return fail_param("pooling", "pooling must be auto, mean, last or cls, but is '{}'", config.pooling);
  }
  if (config.host.empty()) return fail_param("host", "host must not be empty");
  if (config.ssl_certfile.empty() != config.ssl_keyfile.empty()) {
    const char* missing = config.ssl_certfile.empty() ? "ssl_certfile" : "ssl_keyfile";
    return fail_param(missing, "ssl_certfile and ssl_keyfile go together, but there is no {}", missing);
  }
  if (config.log_prompts && !config.log_requests) {
    return fail_param("log_prompts", "log_prompts needs log_requests: they stand in its lines");
  }
  if (!config.otlp_endpoint.empty()) {
    if (const auto endpoint = parse_otlp_endpoint(config.otlp_endpoint); !endpoint) {
      return std::unexpected(endpoint.error());
    }
  }
  if (auto checked = check_hosts(config.allowed_hosts); !checked) return checked;
  return check_origins(config.allowed_origins);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> pieces;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string_view piece = text.substr(begin, end - begin);
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    if (!piece.empty()) pieces.emplace_back(piece);
    begin = end + 1;
  }
  return pieces;
}

std::vector<std::string> served_model_names(const ServerConfig& config, const EngineConfig& engine) {
  std::vector<std::string> names = split_list(config.served_model_name);
  if (!names.empty()) return names;
  std::string_view name = engine.model;
  name.remove_prefix(name.find_last_of('/') + 1);  // npos + 1 is 0
  if (name.ends_with(".gguf")) name.remove_suffix(5);
  return {name.empty() ? std::string("model") : std::string(name)};
}

}  // namespace quire
