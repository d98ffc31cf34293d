// What the API's description says of each operation: a method at a path. openapi.cpp writes it out.
#pragma once

#include <span>
#include <string_view>

#include "server/http/http_message.h"
#include "server/json/json_writer.h"

namespace quire {

struct Operation {
  HttpMethod method;
  std::string_view path;  // a part in braces stands for anything but a slash
  std::string_view id;    // a name for programs
  std::string_view summary;
  void (*write_body)(JsonWriter& json) = nullptr;  // the schema of the request's body; null: it has none
  std::string_view answer = {};                    // the schema (a file in openapi/) of a 200; empty: text
  std::string_view event = {};                     // that of an event, if it may answer with a stream
  std::string_view errors = {};  // statuses that it has beside those of every such method: "404 429"
  std::string_view query = {};   // JSON of its parameters in the query, with commas between
};

std::span<const Operation> operations();

}  // namespace quire
