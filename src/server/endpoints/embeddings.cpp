#include "server/endpoints/embeddings.h"

#include "server/generation/embedding_run.h"

namespace quire {

ApiReply create_embeddings(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, read_embedding_request);
  if (!request) return error_response(request.error());
  if (auto known = check_model_name(api, request->model); !known) return error_response(known.error());
  request->tenant = head.tenant;
  if (!request->pooling) request->pooling = api.pooling;
  auto run = EmbeddingRun::start(api.model(), std::move(*request));
  if (!run) return error_response(run.error());
  return std::unique_ptr<AnswerRun>(std::move(*run));
}

}  // namespace quire
