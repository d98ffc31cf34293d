// What an endpoint is: a function from a request to a reply. Those of a kind share a file in endpoints/, and
// routes.cpp has a row for each path.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <variant>

#include "server/api_state.h"
#include "server/background_runs.h"
#include "server/generation/answer_run.h"
#include "server/http/api_error.h"
#include "server/http/http_message.h"
#include "server/json/json_document.h"
#include "server/json/request_fields.h"

namespace quire {

// A response to an answer that goes on without the connection.
struct BackgroundStart {
  BackgroundJob job;
  HttpResponse response;
};

// A response, or one that comes as the engine works.
using ApiReply = std::variant<HttpResponse, std::unique_ptr<AnswerRun>, BackgroundStart>;

// On any thread. The model is loaded unless the route is open.
using Endpoint = ApiReply (*)(const ApiState& api, const RequestHead& head, std::string_view body);

// The body as a request, as `read` makes one of its fields, or the error that answers it.
template <class Read>
auto read_body(const ApiState& api, std::string_view body, Read&& read)
    -> ApiExpected<typename std::invoke_result_t<Read, const JsonFields&>::value_type> {
  const auto document = JsonDocument::parse(body);
  if (!document) return api_failure(document.error());
  auto request = read(JsonFields{document->root(), api.ignore_unknown_fields});
  if (!request) return api_failure(request.error());
  return std::move(*request);
}

// 404 unless the model is served by that name; empty stands for whichever is served.
ApiExpected<> check_model_name(const ApiState& api, std::string_view name);

// The answer to DELETE of an `object`, as OpenAI's are.
HttpResponse deleted_response(std::string_view id, std::string_view object);

}  // namespace quire
