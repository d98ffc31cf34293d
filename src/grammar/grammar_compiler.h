// Compiles grammars for one vocabulary, off the engine's threads and within bounds: sizes are checked before
// anything is spent, few compile at a time, those who wait for one give up after a while, and what was
// compiled is kept as long as it fits. The same grammar asked for twice at once is compiled once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
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

struct GrammarCompilerOptions {
  int32_t num_threads = 1;
  int32_t max_waiting = 16;  // grammars that wait for a thread
  int64_t timeout_ms = 10'000;
  size_t cache_bytes = 256 << 20;
  size_t max_grammar_bytes = 64 << 20;  // a compiled one
};

// A grammar as xgrammar takes it: EBNF, or the JSON of a structural tag.
struct GrammarSource {
  std::string text;
  bool structural_tag = false;
};

class GrammarCompiler {
 public:
  // `tokenizer` and `metrics` outlive it. Nothing is prepared until the first grammar comes.
  GrammarCompiler(const Tokenizer& tokenizer, std::vector<TokenId> eos_token_ids,
                  const GrammarCompilerOptions& options, MetricsRegistry& metrics);
  ~GrammarCompiler();  // waits for what is being compiled

  // Any thread; blocks until it is done, or for timeout_ms. Errors name spec.field: kInvalidArgument
  // (malformed, not supported, too large, too slow), kResourceExhausted (too many wait already).
  Expected<std::shared_ptr<const CompiledGrammar>> compile(const GrammarSpec& spec);

  // What compile() does first.
  static Expected<GrammarSource> source(const GrammarSpec& spec);

 private:
  using Result = Expected<std::shared_ptr<const CompiledGrammar>>;
  // One grammar: being compiled, or kept.
  struct Entry {
    std::string key;
    GrammarSource source;
    bool done = false;
    Result result;
  };
  class Backend;

  void work();
  // Under the lock.
  void keep_within_bounds();
  void forget(const std::string& key);

  const Tokenizer& tokenizer_;
  const std::vector<TokenId> eos_token_ids_;
  const GrammarCompilerOptions options_;
  Counter& hits_;
  Counter& misses_;
  Gauge& cached_bytes_;
  Histogram& compile_seconds_;

  std::mutex mutex_;
  std::condition_variable work_ready_;
  std::condition_variable work_done_;
  bool stopping_ = false;
  size_t bytes_ = 0;
  std::deque<std::shared_ptr<Entry>> waiting_;
  std::list<std::shared_ptr<Entry>> entries_;  // the last used in front
  std::unordered_map<std::string, std::list<std::shared_ptr<Entry>>::iterator> by_key_;
  std::once_flag prepared_;
  std::unique_ptr<Backend> backend_;
  std::vector<std::thread> threads_;
};

}  // namespace quire
