// An answer in the making, as a connection sees it: it is told when there is something to take, takes it and
// writes it out. Belongs to one connection; its end, however it comes, frees what the answer holds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/generation/usage.h"
#include "server/http/api_error.h"
#include "server/http/http_message.h"
#include "server/trace/generation_trace.h"

namespace quire {

// The beginnings of what was asked and answered, for a log that may show them.
struct AnswerText {
  std::string prompt;
  std::string completion;
};

class AnswerRun {
 public:
  virtual ~AnswerRun() = default;

  // Whether it comes as events; else as one JSON text at the end.
  virtual bool stream() const = 0;

  // `notify` is called, from any thread, when there is something to take; at once if there is already.
  virtual void set_notify(std::function<void()> notify) = 0;

  enum class Progress : uint8_t { kMore, kDone };

  // Appends to `body` what is ready of it: for a stream the events, else nothing before kDone and then all
  // of it. A stream that fails ends with an error event; another answer then has error() and no body.
  virtual Progress advance(std::string& body) = 0;

  // Whether the next advance() may have so much to do that others should not wait for it: rather than on a
  // connection's thread it is then called on a worker's.
  virtual bool takes_long() const { return false; }

  // When advance() may have something without a notification; 0: never.
  virtual double pause_seconds() const { return 0; }

  // The server ends: an answer that has no end of its own is done with the next advance().
  virtual void finish() {}

  virtual const std::optional<ApiError>& error() const = 0;
  virtual ResponseHeaders headers() const { return {}; }  // that its response has beside the usual ones
  virtual std::string note() const = 0;                   // for the log: how much it was
  virtual Usage usage() const = 0;                        // so far
  virtual AnswerText text() const { return {}; }
  // What a trace tells of it so far; none if nothing was generated.
  virtual std::optional<GenerationTrace> trace() const { return std::nullopt; }
};

}  // namespace quire
