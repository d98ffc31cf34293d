#include "grammar/grammar_compiler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/thread_name.h"
#include "grammar/ebnf.h"
#include "grammar/ebnf_check.h"
#include "grammar/regex.h"
#include "grammar/schema_grammar.h"
#include "grammar/structural_tag.h"
#include "grammar/xgrammar_parts.h"

namespace quire {
namespace {

constexpr int64_t kRuleCacheBytes = 64 << 20;  // of parts that grammars share, such as strings
constexpr std::array kCompileSeconds = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0};

Expected<std::string> choice_source(const std::vector<std::string>& choices) {
  if (choices.empty()) return fail(ErrorCode::kInvalidArgument, "there must be at least one choice");
  if (choices.size() > kMaxChoices) {
    return fail(ErrorCode::kInvalidArgument, "there may be at most {} choices, but there are {}",
                kMaxChoices, choices.size());
  }
  size_t bytes = 0;
  std::vector<std::string> options;
  for (const auto& choice : choices) {
    if (choice.empty()) return fail(ErrorCode::kInvalidArgument, "a choice must not be empty");
    if (!is_valid_utf8(choice)) return fail(ErrorCode::kInvalidArgument, "a choice is not valid UTF-8");
    bytes += choice.size();
    options.push_back(ebnf_literal(choice));
    if (bytes > kMaxGrammarBytes) {
      return fail(ErrorCode::kInvalidArgument, "the choices take at most {} bytes in all",
                  kMaxGrammarBytes);
    }
  }
  return "root ::= " + ebnf_choice(options) + "\n";
}

// EBNF, or the format of a structural tag.
Expected<std::string> unchecked_source(const GrammarSpec& spec) {
  switch (spec.kind) {
    case GrammarKind::kJsonObject: return json_object_ebnf();
    case GrammarKind::kJsonSchema: return schema_to_ebnf(spec.text);
    case GrammarKind::kChoice: return choice_source(spec.choices);
    case GrammarKind::kStructuralTag: return read_structural_tag(spec.text);
    case GrammarKind::kEbnf:
      if (auto checked = check_ebnf(spec.text); !checked) return std::unexpected(checked.error());
      return spec.text;
    case GrammarKind::kRegex: break;
  }
  const auto node = parse_regex(spec.text);
  if (!node) return std::unexpected(node.error());
  auto ebnf = to_ebnf(*node, TextForm::kPlain);
  if (!ebnf) return ebnf;
  return "root ::= " + *ebnf + "\n";
}

// Of a message of xgrammar's, which begins with a time and a place in its sources.
std::string first_line(std::string_view text) {
  if (text.starts_with('[')) text.remove_prefix(std::min(text.find(": ") + 2, text.size()));
  text = text.substr(0, std::min<size_t>(text.find('\n'), 300));
  return std::string(text.substr(0, complete_utf8_length(text)));
}

}  // namespace

class GrammarCompiler::Backend {
 public:
  Backend(const Tokenizer& tokenizer, const std::vector<TokenId>& eos_token_ids)
      : info_(tokens(tokenizer), xgrammar::VocabType::RAW, tokenizer.vocab_size(),
              std::vector<int32_t>(eos_token_ids.begin(), eos_token_ids.end())),
        sharing_compiler_(info_, 1, true, kRuleCacheBytes),
        compiler_(info_, 1, false) {}

  Result compile(const GrammarSource& source, size_t max_bytes) {
    auto result = compile(sharing_compiler_, source, max_bytes);
    // Some rules are too large to be shared between grammars, which xgrammar takes for a fault.
    return result ? std::move(result) : compile(compiler_, source, max_bytes);
  }

 private:
  static Result compile(xgrammar::GrammarCompiler& compiler, const GrammarSource& source,
                        size_t max_bytes) {
    try {
      auto parts = std::make_unique<CompiledGrammar::Parts>(
          CompiledGrammar::Parts{source.structural_tag ? compiler.CompileStructuralTag(source.text)
                                                       : compiler.CompileGrammar(source.text)});
      auto grammar = std::make_shared<const CompiledGrammar>(std::move(parts));
      if (grammar->bytes() <= max_bytes) return grammar;
      return fail(ErrorCode::kInvalidArgument,
                  "the grammar is too large: compiled it takes {} bytes, but may take {}", grammar->bytes(),
                  max_bytes);
    } catch (const std::exception& error) {
      return fail(ErrorCode::kInvalidArgument, "the grammar cannot be compiled: {}",
                  first_line(error.what()));
    }
  }

  // Control tokens are no text: an empty one is never allowed.
  static std::vector<std::string> tokens(const Tokenizer& tokenizer) {
    std::vector<std::string> tokens;
    for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
      const bool text = !tokenizer.is_special(id);
      tokens.emplace_back(text ? tokenizer.token_bytes(id) : std::string_view());
    }
    return tokens;
  }

  xgrammar::TokenizerInfo info_;
  xgrammar::GrammarCompiler sharing_compiler_;
  xgrammar::GrammarCompiler compiler_;
};

GrammarCompiler::GrammarCompiler(const Tokenizer& tokenizer, std::vector<TokenId> eos_token_ids,
                                 const GrammarCompilerOptions& options, MetricsRegistry& metrics)
    : tokenizer_(tokenizer),
      eos_token_ids_(std::move(eos_token_ids)),
      options_(options),
      hits_(metrics.counter("quire_grammar_cache_hits_total", "Grammars that were compiled already")),
      misses_(metrics.counter("quire_grammar_cache_misses_total", "Grammars that had to be compiled")),
      cached_bytes_(
          metrics.gauge("quire_grammar_cache_bytes", "Bytes of the compiled grammars that are kept")),
      compile_seconds_(metrics.histogram("quire_grammar_compile_seconds",
                                         "How long compiling a grammar took", kCompileSeconds)) {
  for (int32_t i = 0; i < options_.num_threads; ++i) {
    threads_.emplace_back([this] {
      set_thread_name("quire-grammar");
      work();
    });
  }
}

GrammarCompiler::~GrammarCompiler() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

Expected<GrammarSource> GrammarCompiler::source(const GrammarSpec& spec) {
  if (spec.text.size() > kMaxGrammarBytes) {
    return fail_param(spec.field, "{} takes at most {} bytes, but has {}", spec.field, kMaxGrammarBytes,
                      spec.text.size());
  }
  auto text = unchecked_source(spec);
  if (!text) return fail_param(spec.field, "{}: {}", spec.field, text.error().message);
  const bool is_tag = spec.kind == GrammarKind::kStructuralTag;
  if (!is_tag && !spec.reasoning) return GrammarSource{std::move(*text)};
  if (!is_tag) text = grammar_format(*text);
  if (spec.reasoning) text = format_after(*spec.reasoning, *text);
  return GrammarSource{structural_tag(*text), true};
}

Expected<std::shared_ptr<const CompiledGrammar>> GrammarCompiler::compile(const GrammarSpec& spec) {
  if (eos_token_ids_.empty()) {
    return fail_param(spec.field, "{} is not supported: the model has no end-of-sequence token",
                      spec.field);
  }
  auto wanted = source(spec);
  if (!wanted) return std::unexpected(wanted.error());
  const std::string key = (wanted->structural_tag ? "t" : "g") + wanted->text;

  std::unique_lock lock(mutex_);
  std::shared_ptr<Entry> entry;
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    entry = entries_.front();
    hits_.add();
  } else {
    if (std::ssize(waiting_) >= options_.max_waiting) {
      return fail(ErrorCode::kResourceExhausted, "{} grammars wait to be compiled; try again later",
                  options_.max_waiting);
    }
    misses_.add();
    entry = std::make_shared<Entry>();
    entry->key = key;
    entry->source = std::move(*wanted);
    entries_.push_front(entry);
    by_key_.emplace(key, entries_.begin());
    waiting_.push_back(entry);
    work_ready_.notify_one();
  }
  if (!work_done_.wait_for(lock, std::chrono::milliseconds(options_.timeout_ms),
                           [&] { return entry->done; })) {
    return fail_param(spec.field, "{} takes longer than {} s to compile: make it simpler", spec.field,
                      static_cast<double>(options_.timeout_ms) / 1000);
  }
  if (entry->result) return entry->result;
  return fail_param(spec.field, "{}: {}", spec.field, entry->result.error().message);
}

void GrammarCompiler::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_ready_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const auto entry = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    const auto started = std::chrono::steady_clock::now();
    std::call_once(prepared_, [this] { backend_ = std::make_unique<Backend>(tokenizer_, eos_token_ids_); });
    Result result = backend_->compile(entry->source, options_.max_grammar_bytes);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    compile_seconds_.observe(took.count());
    lock.lock();
    entry->source = {};
    entry->done = true;
    if (result) {
      bytes_ += (*result)->bytes() + entry->key.size();
    } else {
      forget(entry->key);
    }
    entry->result = std::move(result);
    keep_within_bounds();
    work_done_.notify_all();
  }
}

void GrammarCompiler::forget(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  entries_.erase(found->second);
  by_key_.erase(found);
}

void GrammarCompiler::keep_within_bounds() {
  for (auto at = entries_.end(); bytes_ > options_.cache_bytes && at != entries_.begin();) {
    --at;
    const auto entry = *at;
    if (!entry->done) continue;  // somebody waits for it
    bytes_ -= (*entry->result)->bytes() + entry->key.size();
    by_key_.erase(entry->key);
    at = entries_.erase(at);
  }
  cached_bytes_.set(static_cast<double>(bytes_));
}

}  // namespace quire
