// Chat templates: a sandboxed subset of Jinja, read from the model file. Rendering is bounded in steps,
// output and depth, and touches nothing outside the values given. Immutable after parse; safe from any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "chat/value.h"

namespace quire {

struct TemplateLimits {
  int64_t max_steps = 1'000'000;        // evaluated nodes
  int64_t max_output_bytes = 16 << 20;  // of rendered text and of any one string made on the way
  int32_t max_depth = 100;              // nested blocks, expressions and macro calls
  int64_t max_source_bytes = 1 << 20;
};

// Rendered text in parts: what came out of the template's own text, and what came (even through filters and
// concatenation) from a value marked as the user's (Value::user_text). Tokenization recognizes special
// tokens in the former only. Adjacent parts of one kind are joined.
struct RenderedPart {
  std::string text;
  bool from_user = false;
};

class ChatTemplate {
 public:
  // Errors say line and column.
  static Expected<ChatTemplate> parse(std::string_view source, const TemplateLimits& limits = {});

  // `context` is an object: messages, add_generation_prompt, bos_token, eos_token, tools, ...;
  // `unix_seconds` is what strftime_now formats (UTC). raise_exception() becomes kInvalidArgument with its
  // message; a budget that runs out, kResourceExhausted. Takes less than 1 MiB of stack with the default
  // limits.
  Expected<std::vector<RenderedPart>> render(const Value& context, int64_t unix_seconds) const;

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

}  // namespace quire
