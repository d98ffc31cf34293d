// How much a test may do, by the environment.
#pragma once

#include <cstdlib>
#include <string_view>

namespace quire {

inline bool environment_says(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && std::string_view(value) == "1";
}

// QUIRE_LONG=1: the full counts, minutes of them.
inline bool long_run() { return environment_says("QUIRE_LONG"); }

// QUIRE_SANITIZED=1: programs are ten to a hundred times slower, so that fewer rounds have to do.
inline bool sanitized_run() { return environment_says("QUIRE_SANITIZED"); }

}  // namespace quire
