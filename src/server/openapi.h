// The API's description for programs: an OpenAPI 3.1 document, made of the table of operations, of the
// tables of field rules that read requests, and of the schemas of answers in src/server/openapi (a file for
// each).
#pragma once

#include <string>

namespace quire {

// The same whatever the server's flags. Any thread; the first call makes it.
const std::string& openapi_document();

}  // namespace quire
