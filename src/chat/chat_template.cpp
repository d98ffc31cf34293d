#include "chat/chat_template.h"

#include <utility>

#include "chat/evaluator.h"
#include "chat/rendering.h"
#include "chat/statement_parser.h"

namespace quire {

struct ChatTemplate::Program {
  jinja::Body body;
  TemplateLimits limits;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Expected<ChatTemplate> ChatTemplate::parse(std::string_view source, const TemplateLimits& limits) {
  auto body = jinja::parse_template(source, limits);
  if (!body) return std::unexpected(std::move(body).error());
  return ChatTemplate(std::make_unique<const Program>(Program{*std::move(body), limits}));
}

Expected<std::vector<RenderedPart>> ChatTemplate::render(const Value& context, int64_t unix_seconds) const {
  if (!context.is_object())
    return fail(ErrorCode::kInvalidArgument, "a chat template's context must be an object");
  if (context.depth() > kMaxValueDepth) {
    return fail(ErrorCode::kInvalidArgument,
                "the values for the chat template are nested deeper than {} levels", kMaxValueDepth);
  }
  jinja::Rendering rendering(program_->limits, unix_seconds);
  auto text = jinja::Evaluator(context, rendering).run(program_->body);
  if (!text) return std::unexpected(std::move(text).error());
  std::vector<RenderedPart> parts;
  const std::string_view bytes = text->bytes();
  size_t at = 0;
  for (const auto& range : text->user_ranges()) {
    if (at < range.begin) parts.push_back({std::string(bytes.substr(at, range.begin - at)), false});
    parts.push_back({std::string(bytes.substr(range.begin, range.end - range.begin)), true});
    at = range.end;
  }
  if (at < bytes.size()) parts.push_back({std::string(bytes.substr(at)), false});
  return parts;
}

}  // namespace quire
