#include "tests/server/echo_model_fixture.h"

#include <chrono>
#include <thread>

#include "tests/tokenizer/byte_level_spec.h"

namespace quire {
namespace {

constexpr const char* kTemplate =
    "{% for m in messages %}{% if not loop.first %}<|turn|>{{ m.role }}{% endif %}{{ m.content }}<|end|>"
    "{% endfor %}{{ closing }}";

}  // namespace

EchoModel::EchoModel(const EchoModelOptions& options) {
  std::vector<std::string> control_tokens = {"<|end|>", "<|turn|>"};
  control_tokens.insert(control_tokens.end(), options.control_tokens.begin(), options.control_tokens.end());
  TokenizerSpec spec = byte_level_spec("gpt-2", {}, control_tokens);
  spec.eos = kEndToken;
  if (options.add_bos) spec.bos = kTurnToken;
  spec.add_bos = options.add_bos;
  const std::string source = options.chat_template != nullptr ? options.chat_template : kTemplate;
  if (options.has_template) spec.chat_template = source;
  auto tokenizer = Tokenizer::create(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  handle.tokenizer = std::move(*tokenizer);
  if (options.has_template) {
    auto chat_template = ChatTemplate::parse(source);
    EXPECT_TRUE(chat_template) << chat_template.error().message;
    handle.chat_template = std::make_unique<const ChatTemplate>(std::move(*chat_template));
  }
  handle.eos_token_ids = {kEndToken};
  handle.grammars =
      std::make_unique<GrammarCompiler>(*handle.tokenizer, handle.eos_token_ids, options.grammars, metrics);
  handle.config.model = "models/echo.gguf";
  handle.model.hidden_size = 3;
  const LLMEngineOptions engine{.num_blocks = options.num_blocks,
                                .block_size = options.block_size,
                                .max_model_len = options.max_model_len,
                                .max_num_seqs = options.max_num_seqs,
                                .max_num_batched_tokens = options.max_num_batched_tokens,
                                .max_queue = options.max_queue,
                                .by_priority = options.by_priority,
                                .max_queue_ns = options.max_queue_ns,
                                .seed = 0,
                                .enable_prefix_caching = options.has_prefix_cache};
  auto executor =
      std::make_unique<EchoExecutor>(gate, options.max_num_seqs, handle.tokenizer->vocab_size());
  handle.engine = std::make_unique<LLMEngine>(engine, std::move(executor), clock, metrics);
  if (options.start) handle.engine->start();
}

EchoModel::~EchoModel() { gate->open(); }

template <class Condition>
void EchoModel::wait_until(const char* what, Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition(handle.engine->stats())) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain until " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void EchoModel::expect_baseline() {
  wait_until("all blocks are free", [](const EngineStats& stats) {
    return stats.num_running == 0 && stats.num_waiting == 0 && stats.num_free_blocks == stats.num_blocks &&
           stats.kv_slots_allocated == 0;
  });
}

void EchoModel::wait_for_running(int32_t count) {
  wait_until("requests run", [&](const EngineStats& stats) { return stats.num_running == count; });
}

void EchoModel::step_until_waiting(int32_t count) {
  const auto& engine = *handle.engine;
  while (!testing::Test::HasFailure() && engine.stats().num_waiting != count) {
    const int64_t steps = engine.stats().num_steps;
    gate->let_pass(1);
    wait_until("a step has run", [&](const EngineStats& stats) { return stats.num_steps > steps; });
  }
}

}  // namespace quire
