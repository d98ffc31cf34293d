// Why a continuation ended.
#pragma once

#include <cstdint>

namespace quire {

enum class FinishReason : uint8_t {
  kNone,      // it goes on
  kStop,      // an end-of-sequence or stop token, or the consumer found a stop string
  kLength,    // max_tokens, or the context is full
  kAborted,   // the client left, or the engine was shut down
  kError,     // the step that held it failed
  kTimedOut,  // it waited too long to run
  kDeadEnd,   // its grammar lets no token follow, or has fewer outputs than a beam search was to find
};

}  // namespace quire
