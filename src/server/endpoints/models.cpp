#include "server/endpoints/models.h"

#include "server/json/json_writer.h"
#include "server/json/request_fields.h"

namespace quire {
namespace {

void write_model(JsonWriter& json, const ServedModel& model, std::string_view name) {
  json.begin_object();
  json.field("id", name);
  json.field("object", "model");
  json.field("created", model.created);
  json.field("owned_by", "quire");
  json.field("root", model.names.front());
  json.null_field("parent");
  json.field("max_model_len", model.max_model_len());
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
