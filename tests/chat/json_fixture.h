// JSON as template values, for tests; strings become trusted or the user's as asked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chat/value.h"

namespace quire::test {

// Fails the running test on malformed JSON.
Value read_json(std::string_view json, bool as_user_text = false);

// The same value with all its strings (keys too) marked as the user's.
Value as_user_text(const Value& value);

// The lines of a file; fails the running test if it cannot be read.
std::vector<std::string> read_lines(const std::string& path);
std::string read_file(const std::string& path, size_t limit = std::string::npos);

}  // namespace quire::test
