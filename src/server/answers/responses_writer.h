// Answers as OpenAI's Responses API has them: output items, and streams of named events that tell of each
// item from its start to its end. Keeps in the store what is to be kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/answers/response_store.h"
#include "server/generation/answer_writer.h"
#include "server/requests/responses_request.h"

namespace quire {

inline constexpr std::string_view kResponseIdPrefix = "resp_";

// What an answer shows beside its output, and where it goes.
struct ResponsesPlan {
  ResponsesEcho echo;
  std::optional<int32_t> max_output_tokens;
  double temperature = 1;
  double top_p = 1;
  bool parallel_tool_calls = true;
  std::string_view truncation = "disabled";
  int32_t top_logprobs = 0;
  bool background = false;
  ResponseStore* store = nullptr;  // null: it is not kept. Outlives the writer
  // All but the id, the answer, what it adds to the conversation, and ids of items.
  StoredResponse kept = {};
};

// The item of an answer that is kept, or of its request, that has this id. Such ids name their response.
std::optional<std::string> find_stored_item(ResponseStore& store, TenantId tenant, std::string_view id);

// A response that has no output, with `error` if it failed.
std::string response_without_output(const ResponsesPlan& plan, const ResponseContext& context,
                                    std::string_view status, const ApiError* error = nullptr);

// Keeps what is asked in the background, as queued. An error if there is no room.
ApiExpected<> keep_unfinished(const ResponsesPlan& plan, const ResponseContext& context);

// For a request with one choice.
std::unique_ptr<AnswerWriter> make_responses_writer(ResponsesPlan plan);

}  // namespace quire
