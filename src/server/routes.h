// Which endpoint answers at which path.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/endpoint.h"

namespace quire {

// Whether what is posted to a path counts against the limits of its key: whatever generates does.
enum class Counts : bool { kNo, kYes };

struct Route {
  // One that ends with a slash, but the first, takes anything after it; * stands for anything but nothing.
  std::string_view path;
  bool open;  // without a key, and before the model is loaded
  Counts counts;
  // By method, null if the path does not take it; HEAD is as GET.
  Endpoint get, post, remove = nullptr;
  ErrorShape errors = ErrorShape::kOpenAi;

  Endpoint endpoint(HttpMethod method) const;
  // As the Allow header lists them.
  std::string allowed_methods() const;
};

std::span<const Route> routes();

// Whether Anthropic's clients ask there, which read errors and headers of their own.
bool is_anthropics(std::string_view path);

// Gives an error, whoever made it, the shape that clients of `path` read. `request_id` as in to_json().
void reshape_error(std::string_view path, std::string_view request_id, HttpResponse& response);

// Null if there is none.
const Route* find_route(std::string_view path);

}  // namespace quire
