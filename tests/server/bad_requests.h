// Requests that must be refused, and how. The tests of the parsers and of the API walk this table.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace quire {

struct BadRequest {
  const char* path;
  std::string body;
  int status;
  std::string_view param;    // empty: null
  std::string_view message;  // part of it
};

// For EchoModel's defaults: a context of 256, 258 tokens, 8 sequences, 64 blocks of 16.
std::span<const BadRequest> bad_requests();

}  // namespace quire
