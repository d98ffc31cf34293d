#include "engine/inspect.h"

#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "base/byte_size.h"
#include "engine/memory_plan.h"
#include "engine/memory_report.h"
#include "weights/gguf_config.h"

namespace quire {
namespace {

class Page {
 public:
  template <class... Args>
  void row(std::string_view label, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), "  {:<22}", label);
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void title(std::string_view title) {
    fmt::format_to(std::back_inserter(text_), "{}{}\n", text_.empty() ? "" : "\n", title);
  }
  void block(std::string_view text) { text_ += text; }
  std::string finish() && { return std::move(text_); }

 private:
  std::string text_;
};

void describe_file(const GgufFile& file, Page& page) {
  std::map<DType, std::pair<int64_t, int64_t>> by_type;  // tensors, bytes
  int64_t parameters = 0;
  for (const GgufTensor& tensor : file.tensors()) {
    auto& [count, bytes] = by_type[tensor.dtype];
    ++count;
    bytes += static_cast<int64_t>(tensor.bytes.size());
    parameters += tensor.rows() * tensor.cols();
  }
  page.title("File");
  page.row("path", "{}", file.path());
  page.row("format", "GGUF v{}, {}", file.version(),
           format_byte_size(static_cast<int64_t>(file.file_bytes())));
  page.row("parameters", "{:.1f} M in {} tensors", static_cast<double>(parameters) * 1e-6,
           file.tensors().size());
  for (const auto& [dtype, total] : by_type) {
    page.row(to_string(dtype), "{} tensors, {}", total.first, format_byte_size(total.second));
  }
}

void describe_model(const ModelConfig& model, Page& page) {
  page.title("Model");
  page.row("name", "{}", model.name);
  page.row("architecture", "{}", model.architecture);
  page.row("layers", "{}", model.num_layers);
  page.row("width", "{}, feed-forward {}", model.hidden_size, model.intermediate_size);
  page.row("heads", "{} query, {} KV, of {} dimensions", model.num_heads, model.num_kv_heads,
           model.head_dim);
  page.row("rotary", "base {}, {} dimensions", model.rope_base, model.rope_dim);
  page.row("vocabulary", "{}{}", model.vocab_size,
           model.tied_embeddings ? ", embeddings tied to the output head" : "");
  page.row("context", "{} tokens", model.context_length);
}

}  // namespace

Expected<std::string> inspect_model(const EngineConfig& config, bool graph, int64_t available_bytes) {
  auto file = GgufFile::open(config.model);
  if (!file) return std::unexpected(file.error());
  const auto plan = plan_engine(config, *file, available_bytes);
  if (!plan) return std::unexpected(plan.error());
  const auto tokenizer = read_tokenizer_spec(*file);
  if (!tokenizer) return std::unexpected(tokenizer.error());
  Page page;
  describe_file(*file, page);
  describe_model(plan->model.config, page);
  page.row("tokenizer", "{} / {}{}", tokenizer->model, tokenizer->pre_tokenizer,
           tokenizer->chat_template.empty() ? "" : ", with a chat template");
  page.title("Memory plan");
  page.block(memory_report(*plan, available_bytes));
  if (const auto fits = check_memory(plan->memory, available_bytes); !fits) {
    page.row("warning", "{}", fits.error().message);
  }
  if (graph) {
    page.title("Traced graph");
    page.block(to_string(plan->model.traced));
    page.title("Fused graph");
    page.block(to_string(plan->model.plan.graph));
  }
  return std::move(page).finish();
}

}  // namespace quire
