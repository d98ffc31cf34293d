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
#include "grammar/grammar_budget.h"
#include "grammar/regex.h"
#include "grammar/schema_grammar.h"
#include "grammar/structural_tag.h"
#include "grammar/xgrammar_parts.h"

namespace quire {
namespace {

constexpr int64_t kRuleCacheBytes = 64 << 20;  // of parts that grammars share, such as strings
using SteadyClock = std::chrono::steady_clock;
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
Expected<std::string> unchecked_source(const GrammarSpec& spec, GrammarBudget& budget) {
  switch (spec.kind) {
    case GrammarKind::kJsonObject: return json_object_ebnf();
    case GrammarKind::kJsonSchema:
      return schema_to_ebnf(spec.text, budget, Notation::kJson, spec.strictness);
    case GrammarKind::kChoice: return choice_source(spec.choices);
    case GrammarKind::kStructuralTag: return read_structural_tag(spec.text, TagAuthor::kClient, budget);
    case GrammarKind::kToolCalls: return read_structural_tag(spec.text, TagAuthor::kServer, budget);
    case GrammarKind::kEbnf:
      if (auto checked = check_ebnf(spec.text, budget); !checked) return std::unexpected(checked.error());
      return spec.text;
    case GrammarKind::kRegex: break;
  }
  const auto node = parse_regex(spec.text);
  if (!node) return std::unexpected(node.error());
  auto ebnf = to_ebnf(*node, TextForm::kPlain, budget);
  if (!ebnf) return ebnf;
  return "root ::= " + *ebnf + "\n";
}

Expected<> check_bytes(const std::string& field, size_t bytes) {
  if (bytes <= kMaxGrammarBytes) return {};
  return fail_param(field, "{} takes at most {} bytes, but has {}", field, kMaxGrammarBytes, bytes);
}

std::unexpected<Error> fail_field(const std::string& field, const Error& error) {
  return fail_param(field, "{}: {}", field, error.message);
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
  Backend(const Tokenizer& tokenizer, const std::vector<TokenId>& eos_token_ids,
          std::span<const TokenId> text_tokens)
      : info_(tokens(tokenizer, text_tokens), xgrammar::VocabType::RAW, tokenizer.vocab_size(),
              std::vector<int32_t>(eos_token_ids.begin(), eos_token_ids.end())),
        sharing_compiler_(info_, 1, true, kRuleCacheBytes),
        compiler_(info_, 1, false) {}

  Result compile(const GrammarSource& source, size_t max_bytes) {
    auto result = compile(sharing_compiler_, source);
    // Some rules are too large to be shared between grammars, which xgrammar takes for a fault.
    if (!result) result = compile(compiler_, source);
    if (!result || (*result)->bytes() <= max_bytes) return result;
    return fail(ErrorCode::kInvalidArgument,
                "the grammar is too large: compiled it takes {} bytes, but may take {}", (*result)->bytes(),
                max_bytes);
  }

 private:
  static Result compile(xgrammar::GrammarCompiler& compiler, const GrammarSource& source) {
    try {
      auto parts = std::make_unique<CompiledGrammar::Parts>(
          CompiledGrammar::Parts{source.structural_tag ? compiler.CompileStructuralTag(source.text)
                                                       : compiler.CompileGrammar(source.text)});
      return std::make_shared<const CompiledGrammar>(std::move(parts));
    } catch (const std::exception& error) {
      return fail(ErrorCode::kInvalidArgument, "the grammar cannot be compiled: {}",
                  first_line(error.what()));
    }
  }

  // Other control tokens are no text: an empty one is never allowed.
  static std::vector<std::string> tokens(const Tokenizer& tokenizer, std::span<const TokenId> text_tokens) {
    std::vector<std::string> tokens;
    for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
      const bool text =
          !tokenizer.is_special(id) || std::ranges::find(text_tokens, id) != text_tokens.end();
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
      hits_(metrics.counter("quire:grammar_cache_hits_total", "Grammars that were compiled already.")),
      misses_(metrics.counter("quire:grammar_cache_misses_total", "Grammars that had to be compiled.")),
      cached_bytes_(
          metrics.gauge("quire:grammar_cache_bytes", "Bytes of the compiled grammars that are kept.")),
      compile_seconds_(metrics.histogram("quire:grammar_compile_seconds",
                                         "How long compiling a grammar took.", kCompileSeconds)) {
  for (int32_t i = 0; i < options_.num_threads; ++i) add_thread();
  watcher_ = std::thread([this] {
    set_thread_name("quire-gr-watch");
    watch();
  });
}

GrammarCompiler::~GrammarCompiler() {
  stop(std::chrono::milliseconds(0));
  watcher_.join();
  for (auto& thread : threads_) thread.join();
}

bool GrammarCompiler::stop(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  while (!waiting_.empty()) {
    const auto entry = waiting_.front();
    waiting_.pop_front();
    forget(entry->key);
    answer(*entry, fail(ErrorCode::kUnavailable, "the server is shutting down"));
  }
  work_ready_.notify_all();
  watched_.notify_all();
  notify(lock);
  return answered_.wait_for(lock, wait, [this] { return compiling_.empty(); });
}

void GrammarCompiler::add_thread() {
  threads_.emplace_back([this] {
    set_thread_name("quire-grammar");
    work();
  });
}

Expected<GrammarSource> GrammarCompiler::source(const GrammarSpec& spec) {
  if (auto checked = check_bytes(spec.field, spec.text.size()); !checked) {
    return std::unexpected(checked.error());
  }
  GrammarBudget budget;  // of all together
  auto text = unchecked_source(spec, budget);
  if (!text) return fail_field(spec.field, text.error());
  const bool is_tag = spec.kind == GrammarKind::kStructuralTag || spec.kind == GrammarKind::kToolCalls;
  if (!is_tag && !spec.reasoning && !spec.calls) return GrammarSource{std::move(*text)};
  if (!is_tag) text = grammar_format(*text);
  if (spec.calls) {
    const auto& [tag, field] = *spec.calls;
    if (auto checked = check_bytes(field, tag.size()); !checked) return std::unexpected(checked.error());
    const auto calls = read_structural_tag(tag, TagAuthor::kServer, budget);
    if (!calls) return fail_field(field, calls.error());
    text = either_format(*calls, *text);
  }
  if (spec.reasoning) text = format_after(*spec.reasoning, *text);
  return GrammarSource{structural_tag(*text), true};
}

void GrammarCompiler::set_text_tokens(std::vector<TokenId> ids) { text_tokens_ = std::move(ids); }

Expected<std::shared_ptr<GrammarRequest>> GrammarCompiler::request(const GrammarSpec& spec) {
  if (eos_token_ids_.empty()) {
    return fail_param(spec.field, "{} is not supported: the model has no end-of-sequence token",
                      spec.field);
  }
  auto wanted = source(spec);
  if (!wanted) return std::unexpected(wanted.error());
  std::string key = (wanted->structural_tag ? "t" : "g") + wanted->text;

  std::unique_lock lock(mutex_);
  if (stopping_) return fail(ErrorCode::kUnavailable, "the server is shutting down");
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    hits_.add();
  } else {
    if (std::ssize(waiting_) >= options_.max_waiting) {
      return fail(ErrorCode::kResourceExhausted, "{} grammars wait to be compiled; try again later",
                  options_.max_waiting);
    }
    misses_.add();
    const auto entry = std::make_shared<Entry>();
    entry->key = key;
    entry->source = std::move(*wanted);
    entry->deadline = SteadyClock::now() + std::chrono::milliseconds(options_.max_wait_ms);
    entries_.push_front(entry);
    by_key_.emplace(std::move(key), entries_.begin());
    waiting_.push_back(entry);
    work_ready_.notify_one();
    watched_.notify_one();
  }
  const auto entry = entries_.front();
  auto request = std::make_shared<GrammarRequest>(*this, entry, spec.field);
  if (!entry->result) entry->waiting.emplace(request.get(), Notify());
  return request;
}

GrammarCompiler::Result GrammarCompiler::compile(const GrammarSpec& spec) {
  const auto requested = request(spec);
  if (!requested) return std::unexpected(requested.error());
  return (*requested)->wait();
}

void GrammarCompiler::drop(const GrammarRequest& request, const std::shared_ptr<Entry>& entry) {
  const std::lock_guard lock(mutex_);
  entry->waiting.erase(&request);
  if (entry->state != Entry::State::kWaiting || !entry->waiting.empty()) return;
  if (std::erase(waiting_, entry) > 0) forget(entry->key);
}

void GrammarCompiler::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_ready_.wait(lock, [this] { return stopping_ || may_begin(); });
    if (stopping_) return;
    const auto entry = waiting_.front();
    begin(*entry);
    lock.unlock();
    Result result = compile_source(entry->source);
    lock.lock();
    end(*entry, std::move(result));
    notify(lock);
  }
}

GrammarCompiler::Result GrammarCompiler::compile_source(const GrammarSource& source) {
  if (options_.on_compile) options_.on_compile(source);
  const auto started = SteadyClock::now();
  std::call_once(prepared_, [this] {
    backend_ = std::make_unique<Backend>(tokenizer_, eos_token_ids_, text_tokens_);
  });
  Result result = backend_->compile(source, options_.max_grammar_bytes);
  compile_seconds_.observe(std::chrono::duration<double>(SteadyClock::now() - started).count());
  return result;
}

void GrammarCompiler::begin(Entry& entry) {
  compiling_.push_back(waiting_.front());
  waiting_.pop_front();
  ++num_compiling_;
  entry.state = Entry::State::kCompiling;
  entry.deadline = SteadyClock::now() + std::chrono::milliseconds(options_.timeout_ms);
  watched_.notify_one();
}

void GrammarCompiler::end(Entry& entry, Result result) {
  if (entry.state == Entry::State::kCompiling) --num_compiling_;
  std::erase_if(compiling_, [&](const auto& other) { return other.get() == &entry; });
  entry.state = Entry::State::kDone;
  entry.source = {};
  if (result) {
    bytes_ += (*result)->bytes() + entry.key.size();
  } else {
    forget(entry.key);
  }
  answer(entry, std::move(result));
  keep_within_bounds();
  work_ready_.notify_one();
}

void GrammarCompiler::answer(Entry& entry, Result result) {
  entry.result = std::move(result);
  for (auto& [request, notify] : std::exchange(entry.waiting, {})) {
    if (notify) to_notify_.push_back(std::move(notify));
  }
}

void GrammarCompiler::notify(std::unique_lock<std::mutex>& lock) {
  const std::vector<Notify> calls = std::exchange(to_notify_, {});
  answered_.notify_all();
  lock.unlock();
  for (const Notify& call : calls) call();
  lock.lock();
}

void GrammarCompiler::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::optional<Time> next;
    const auto consider = [&](const Entry& entry) {
      if (!entry.result) next = std::min(next.value_or(entry.deadline), entry.deadline);
    };
    for (const auto& entry : compiling_) consider(*entry);
    if (!waiting_.empty()) consider(*waiting_.front());  // the others' are later
    if (next) {
      watched_.wait_until(lock, *next);
    } else {
      watched_.wait(lock);
    }
    check_deadlines(SteadyClock::now());
    notify(lock);
  }
}

void GrammarCompiler::check_deadlines(Time now) {
  for (const auto& entry : compiling_) {
    if (entry->result || now < entry->deadline) continue;
    entry->state = Entry::State::kLate;
    --num_compiling_;
    answer(*entry,
           fail(ErrorCode::kInvalidArgument, "it takes longer than {} s to compile: make it simpler",
                static_cast<double>(options_.timeout_ms) / 1000));
    if (std::ssize(threads_) < options_.num_threads + options_.max_late) add_thread();
    work_ready_.notify_one();
  }
  while (!waiting_.empty() && now >= waiting_.front()->deadline) {
    const auto entry = waiting_.front();
    waiting_.pop_front();
    forget(entry->key);
    answer(*entry, fail(ErrorCode::kUnavailable, "others were compiled for {} s; try again later",
                        static_cast<double>(options_.max_wait_ms) / 1000));
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
    if (entry->state != Entry::State::kDone) continue;
    bytes_ -= (**entry->result)->bytes() + entry->key.size();
    by_key_.erase(entry->key);
    at = entries_.erase(at);
  }
  cached_bytes_.set(static_cast<double>(bytes_));
}

std::optional<GrammarCompiler::Result> GrammarRequest::named() const {
  if (!entry_->result || *entry_->result) return entry_->result;
  const Error& error = entry_->result->error();
  return std::unexpected(Error{error.code, fmt::format("{}: {}", field_, error.message), field_});
}

std::optional<GrammarCompiler::Result> GrammarRequest::result() const {
  const std::lock_guard lock(compiler_.mutex_);
  return named();
}

GrammarCompiler::Result GrammarRequest::wait() const {
  std::unique_lock lock(compiler_.mutex_);
  compiler_.answered_.wait(lock, [this] { return entry_->result.has_value(); });
  return *named();
}

void GrammarRequest::set_notify(std::function<void()> notify) {
  {
    const std::lock_guard lock(compiler_.mutex_);
    if (!entry_->result) {
      entry_->waiting[this] = std::move(notify);
      return;
    }
  }
  notify();
}

}  // namespace quire
