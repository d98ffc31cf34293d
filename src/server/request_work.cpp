#include "server/request_work.h"

#include <malloc.h>

#include <exception>
#include <new>
#include <stdexcept>

#include "base/log.h"

namespace quire {
namespace {

constexpr size_t kLargeBody = 1 << 20;

ApiError no_memory_error(const std::exception& error) {
  LOG(error, "a request takes too much memory: {}", error.what());
  return {503, "the server has not enough memory for this request", {}, "unavailable", 1};
}

ApiError unforeseen_error(std::string_view what) {
  LOG(error, "a request cannot be handled: {}", what);
  return {500, "the server could not handle this request", {}, "internal_error", 0};
}

std::optional<ApiError> failure_in(FunctionRef<void()> act) {
  try {
    act();
    return std::nullopt;
  } catch (const std::bad_alloc& error) {
    return no_memory_error(error);
  } catch (const std::length_error& error) {  // a container that would be larger than there can be
    return no_memory_error(error);
  } catch (const std::exception& error) {
    return unforeseen_error(error.what());
  } catch (...) {
    return unforeseen_error("something unknown was thrown");
  }
}

}  // namespace

Api::Reply reply_of(FunctionRef<Api::Reply()> act) {
  Api::Reply reply;
  const auto failed = failure_in([&] { reply = act(); });
  return failed ? error_response(*failed) : std::move(reply);
}

Api::Reply handle_request(const Api& api, const RequestHead& head, std::string_view body) {
  return reply_of([&] { return api.handle(head, body); });
}

RunStep advance_run(AnswerRun& run) {
  RunStep step;
  step.failed = failure_in([&] { step.done = run.advance(step.piece) == AnswerRun::Progress::kDone; });
  return step;
}

bool is_large(std::string_view body) { return body.size() >= kLargeBody; }

void give_back(std::string body) {
  if (!is_large(body)) return;
  body = {};
  ::malloc_trim(0);
}

}  // namespace quire
