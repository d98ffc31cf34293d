#include "server/endpoints/models.h"

#include <fmt/chrono.h>

#include "server/json/json_writer.h"
#include "server/json/request_fields.h"

namespace quire {
namespace {

// RFC 3339, of UTC.
std::string date_time(int64_t unix_seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

// What OpenAI's clients read, and what Anthropic's do.
void write_model(JsonWriter& json, const ServedModel& model, std::string_view name) {
  json.begin_object();
  json.field("id", name);
  json.field("object", "model");
  json.field("created", model.created);
  json.field("owned_by", "quire");
  json.field("root", model.names.front());
  json.null_field("parent");
  json.field("max_model_len", model.max_model_len());
  json.field("type", "model");
  json.field("display_name", name);
  json.field("created_at", date_time(model.created));
  json.end_object();
}

}  // namespace

ApiReply list_models(const ApiState& api, const RequestHead&, std::string_view) {
  const ServedModel& served = api.model();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "list");
  json.key("data");
  json.begin_array();
  for (const auto& name : served.names) write_model(json, served, name);
  json.end_array();
  json.field("first_id", served.names.front());
  json.field("last_id", served.names.back());
  json.field("has_more", false);
  json.end_object();
  return json_response(std::move(out));
}

ApiReply get_model(const ApiState& api, const RequestHead& head, std::string_view) {
  const std::string name = head.path.substr(std::string_view("/v1/models/").size());
  if (!api.model().has_name(name)) return error_response(model_not_found(excerpt(name)).error());
  std::string out;
  JsonWriter json(out);
  write_model(json, api.model(), name);
  return json_response(std::move(out));
}

}  // namespace quire
