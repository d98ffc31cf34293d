// The page at /: files that lie in src/server/page, are built into the program, and are served from memory.
// They need nothing from elsewhere, and are open to everybody: who they talk to the API for is asked there.
#pragma once

#include <string_view>

#include "server/http/http_message.h"

namespace quire {

// What GET of `path` answers: "/" is index.html, "/page/NAME" any other file; 404 if there is none.
// `if_none_match` is that header: 304 if the client has the file already.
HttpResponse page_response(std::string_view path, std::string_view if_none_match);

}  // namespace quire
