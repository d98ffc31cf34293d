// What is done with a request and with its answer on a worker's thread, where it may take its time. Nothing
// that is thrown there goes further.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "server/api.h"

namespace quire {

// As Api::handle. What is thrown becomes the answer: a 503 where there is not enough memory, else a 500.
Api::Reply handle_request(const Api& api, const RequestHead& head, std::string_view body);

// What `act` returns or, by the rule above, what stands for what it throws.
Api::Reply reply_of(FunctionRef<Api::Reply()> act);

// One AnswerRun::advance().
struct RunStep {
  bool done = false;
  std::string piece;               // of the body
  std::optional<ApiError> failed;  // by the rule above; nothing more is to be had of the run
};
RunStep advance_run(AnswerRun& run);

// What a large request or answer took goes back to the system, rather than to the next large one. That takes
// a while, so the answer should be on its way.
void give_back(std::string body);

// What give_back is for.
bool is_large(std::string_view body);

}  // namespace quire
