// The one way from a request that generates to its answer: its model's name is checked, its tenant found,
// its prompts are prepared and submitted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/endpoint.h"
#include "server/generation/answer_writer.h"
#include "server/generation/prompt.h"
#include "server/requests/generation_request.h"

namespace quire {

// How the request is answered.
struct AnswerPlan {
  std::unique_ptr<AnswerWriter> writer;
  std::string_view id_prefix;
  std::string id = {};                  // if it is known already
  std::optional<int64_t> created = {};  // as well
  bool echo_tokens = false;             // if the request has echo
  bool prompt_only = false;             // what is generated is not shown
  bool content_tokens = false;          // RunOptions'
};

// The steps of generate() around prepare(). open_generation completes the request from its head.
ApiExpected<> open_generation(const ApiState& api, const RequestHead& head, GenerationRequest& request);
ApiReply start_generation(const ApiState& api, const GenerationRequest& request, AnswerPlan plan,
                          std::vector<PreparedPrompt> prompts);

// `Request` is a GenerationRequest that prepare() (prompt.h) takes.
template <class Request>
ApiReply generate(const ApiState& api, const RequestHead& head, Request request, AnswerPlan plan) {
  if (auto opened = open_generation(api, head, request); !opened) return error_response(opened.error());
  const GenerationRequest common = request;
  auto prompts = prepare(api.model(), std::move(request));
  if (!prompts) return error_response(to_api_error(prompts.error()));
  return start_generation(api, common, std::move(plan), std::move(*prompts));
}

}  // namespace quire
