// How many tokens an answer took.
#pragma once

#include <cstdint>

namespace quire {

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;  // so far
  int64_t reasoning_tokens = 0;   // of those
  int64_t generated_tokens = 0;   // so far, for draws and beams that are not shown too
  int64_t cached_tokens = 0;      // of the prompts, that the prefix cache had; known with the first token
};

}  // namespace quire
