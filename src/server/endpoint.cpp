#include "server/endpoint.h"

namespace quire {

ApiExpected<> check_model_name(const ApiState& api, std::string_view name) {
  if (name.empty() || api.model().has_name(name)) return {};
  return model_not_found(excerpt(name));
}

}  // namespace quire
