// Compiles grammars for one vocabulary, off the engine's threads and within bounds: sizes are checked
// before anything is spent, few compile at a time, and what was compiled is kept as long as it fits. The
// same grammar asked for twice at once is compiled once.
//
// A compile cannot be stopped. One that takes longer than timeout_ms fails for those who wait for it, and
// goes on beside others: what it comes to is kept for the next who asks. One that nobody waits for any
// more does not begin.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "base/types.h"
#include "grammar/compiled_grammar.h"
#include "grammar/grammar_spec.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// A grammar as xgrammar takes it: EBNF, or the JSON of a structural tag.
struct GrammarSource {
  std::string text;
  bool structural_tag = false;
};

struct GrammarCompilerOptions {
  int32_t num_threads = 1;
  int32_t max_waiting = 64;      // grammars that wait for a thread
  int64_t timeout_ms = 10'000;   // of a compile, from its start
  int64_t max_wait_ms = 30'000;  // for a thread
  int32_t max_late = 2;          // that go on after timeout_ms beside num_threads others
  size_t cache_bytes = 256 << 20;
  size_t max_grammar_bytes = 64 << 20;  // a compiled one
  // Called on a compiling thread before each grammar: with it a test holds one.
  std::function<void(const GrammarSource&)> on_compile = {};
};

class GrammarRequest;

class GrammarCompiler {
 public:
  using Result = Expected<std::shared_ptr<const CompiledGrammar>>;

  // `tokenizer` and `metrics` outlive it. Nothing is prepared until the first grammar comes.
  GrammarCompiler(const Tokenizer& tokenizer, std::vector<TokenId> eos_token_ids,
                  const GrammarCompilerOptions& options, MetricsRegistry& metrics);
  ~GrammarCompiler();  // after all requests; waits for what is being compiled

  // Control tokens that are the text they spell, as marks of calls are; others are never allowed. Before
  // the first request().
  void set_text_tokens(std::vector<TokenId> ids);

  // Any thread; does not wait. Errors name spec.field: kInvalidArgument (malformed, not supported, too
  // large, known to take too long), kResourceExhausted (too many wait already), kUnavailable (it was
  // stopped).
  Expected<std::shared_ptr<GrammarRequest>> request(const GrammarSpec& spec);

  // The same, and waits for its result.
  Result compile(const GrammarSpec& spec);

  // What request() does first.
  static Expected<GrammarSource> source(const GrammarSpec& spec);

  // From now on nothing begins, and what waits fails with kUnavailable. Waits for what is being compiled;
  // false if that takes longer than `wait`.
  bool stop(std::chrono::milliseconds wait);

 private:
  friend class GrammarRequest;
  using Time = std::chrono::steady_clock::time_point;
  using Notify = std::function<void()>;
  // One grammar: waiting, being compiled, or kept.
  struct Entry {
    enum class State : uint8_t { kWaiting, kCompiling, kLate, kDone };
    std::string key;
    GrammarSource source;
    State state = State::kWaiting;
    Time deadline;                 // of the state
    std::optional<Result> result;  // kLate: that it takes too long
    std::map<const GrammarRequest*, Notify> waiting;
  };
  class Backend;

  void work();
  Result compile_source(const GrammarSource& source);
  // Sees to deadlines.
  void watch();

  // All these under the lock.
  bool may_begin() const { return !waiting_.empty() && num_compiling_ < options_.num_threads; }
  void begin(Entry& entry);
  void end(Entry& entry, Result result);
  void answer(Entry& entry, Result result);
  void check_deadlines(Time now);
  void add_thread();
  void keep_within_bounds();
  void forget(const std::string& key);
  // Calls what answer() has gathered, without the lock.
  void notify(std::unique_lock<std::mutex>& lock);

  void drop(const GrammarRequest& request, const std::shared_ptr<Entry>& entry);

  const Tokenizer& tokenizer_;
  const std::vector<TokenId> eos_token_ids_;
  std::vector<TokenId> text_tokens_;
  const GrammarCompilerOptions options_;
  Counter& hits_;
  Counter& misses_;
  Gauge& cached_bytes_;
  Histogram& compile_seconds_;

  std::mutex mutex_;
  std::condition_variable work_ready_;
  std::condition_variable answered_;  // or idle
  std::condition_variable watched_;   // there is a deadline that was not there
  bool stopping_ = false;
  size_t bytes_ = 0;
  int32_t num_compiling_ = 0;                      // without those that are late
  std::vector<std::shared_ptr<Entry>> compiling_;  // with them
  std::deque<std::shared_ptr<Entry>> waiting_;
  std::list<std::shared_ptr<Entry>> entries_;  // the last used in front
  std::unordered_map<std::string, std::list<std::shared_ptr<Entry>>::iterator> by_key_;
  std::vector<Notify> to_notify_;
  std::once_flag prepared_;
  std::unique_ptr<Backend> backend_;
  std::vector<std::thread> threads_;
  std::thread watcher_;
};

// A grammar that was asked for. Any thread; its end takes the wish back.
class GrammarRequest {
 public:
  GrammarRequest(GrammarCompiler& compiler, std::shared_ptr<GrammarCompiler::Entry> entry,
                 std::string field)
      : compiler_(compiler), entry_(std::move(entry)), field_(std::move(field)) {}
  ~GrammarRequest() { compiler_.drop(*this, entry_); }
  GrammarRequest(const GrammarRequest&) = delete;
  GrammarRequest& operator=(const GrammarRequest&) = delete;

  // None while it is being compiled. Errors name the field: kInvalidArgument, kUnavailable (others took all
  // the time).
  std::optional<GrammarCompiler::Result> result() const;
  // Waits for it.
  GrammarCompiler::Result wait() const;

  // `notify` is called once from any thread, as soon as there is a result; at once if there is one
  // already. It may be under way while the request ends.
  void set_notify(std::function<void()> notify);

 private:
  // Under the lock.
  std::optional<GrammarCompiler::Result> named() const;

  GrammarCompiler& compiler_;
  const std::shared_ptr<GrammarCompiler::Entry> entry_;
  const std::string field_;
};

}  // namespace quire
