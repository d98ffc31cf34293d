#include "server/endpoint.h"

#include "server/json/json_writer.h"

namespace quire {

ApiExpected<> check_model_name(const ApiState& api, std::string_view name) {
  if (name.empty() || api.model().has_name(name)) return {};
  return model_not_found(excerpt(name));
}

HttpResponse deleted_response(std::string_view id, std::string_view object) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("id", id);
  json.field("object", object);
  json.field("deleted", true);
  json.end_object();
  return json_response(std::move(out));
}

}  // namespace quire
