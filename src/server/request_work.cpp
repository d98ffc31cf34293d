#include "server/request_work.h"

#include <malloc.h>

#include <exception>

#include "base/log.h"

namespace quire {
namespace {

constexpr size_t kLargeBody = 1 << 20;

}  // namespace

Api::Reply handle_request(const Api& api, const RequestHead& head, std::string_view body) {
  try {
    return api.handle(head, body);
  } catch (const std::exception& error) {
    LOG(error, "a request cannot be handled: {}", error.what());
    return error_response({503, "the server has not enough memory for this request", {}, "unavailable", 1});
  }
}

void give_back(std::string body) {
  if (body.size() < kLargeBody) return;
  body = {};
  ::malloc_trim(0);
}

}  // namespace quire
