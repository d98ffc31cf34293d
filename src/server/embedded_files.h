// Text files that are built into the program: what lies in src/server/page and src/server/openapi.
#pragma once

#include <span>
#include <string_view>

namespace quire {

struct EmbeddedFile {
  std::string_view name;  // such as "index.html"
  std::string_view text;
};

// Written by cmake/embed_files.cmake, in the order of their names.
std::span<const EmbeddedFile> page_files();
std::span<const EmbeddedFile> openapi_files();

}  // namespace quire
