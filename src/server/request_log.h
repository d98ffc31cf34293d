// The log's line for a request that was answered or given up, and what its trace needs beside. Never a
// key; a prompt or a completion only where the operator has asked for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/generation/answer_run.h"

namespace quire {

struct RequestRecord {
  std::string_view peer;    // "address:port"
  std::string_view method;  // this and the target as the client sent them
  std::string_view target;
  std::string request_id;
  std::string key;  // the name of the client's key, if it has one
  int status = 0;
  int64_t elapsed_ns = 0;
  std::string note;  // how much it was, or how it ended; may be empty
  std::optional<Usage> usage;
  AnswerText text;
  bool failed = false;                        // in the middle of a stream
  std::optional<GenerationTrace> generation;  // for its trace

  // What there is to say of `run` so far.
  void take(const AnswerRun& run);
};

// Any thread.
void log_request(const RequestRecord& record);

}  // namespace quire
