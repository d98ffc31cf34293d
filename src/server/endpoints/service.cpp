#include "server/endpoints/service.h"

#include "server/engine_events.h"
#include "server/http/sse.h"
#include "server/openapi.h"
#include "server/page.h"

namespace quire {

ApiReply get_live(const ApiState&, const RequestHead&, std::string_view) {
  return json_response(R"({"status":"ok"})");
}

ApiReply get_ready(const ApiState& api, const RequestHead&, std::string_view) {
  if (!api.loaded()) return error_response(loading_error());
  if (api.draining.load()) return error_response(draining_error());
  return json_response(R"({"status":"ok"})");
}

ApiReply get_version(const ApiState&, const RequestHead&, std::string_view) {
  return json_response("{\"version\":\"" QUIRE_VERSION "\"}");
}

ApiReply get_openapi(const ApiState&, const RequestHead&, std::string_view) {
  return json_response(openapi_document());
}

ApiReply get_metrics(const ApiState& api, const RequestHead&, std::string_view) {
  return HttpResponse{200, "text/plain; version=0.0.4; charset=utf-8", {}, api.metrics.render()};
}

ApiReply stream_engine_events(const ApiState& api, const RequestHead& head, std::string_view) {
  if (head.method == HttpMethod::kHead) return HttpResponse{200, std::string(kEventStream), {}, {}};
  auto events = EngineEvents::start(api.model(), api.max_engine_viewers, api.num_engine_viewers);
  if (!events) return error_response(events.error());
  return std::unique_ptr<AnswerRun>(std::move(*events));
}

ApiReply get_page(const ApiState&, const RequestHead& head, std::string_view) {
  return page_response(head.path, head.if_none_match);
}

}  // namespace quire
