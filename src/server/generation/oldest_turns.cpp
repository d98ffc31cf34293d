#include "server/generation/oldest_turns.h"

#include <algorithm>

#include "server/generation/prompt.h"

namespace quire {
namespace {

bool fits(const ServedModel& model, const ChatRequest& request, std::span<const ChatMessage> messages) {
  const auto chat = tokenize_chat(model, {messages, request.offer.shown(), request.rendering});
  if (!chat) return chat.error().code != ErrorCode::kContextExceeded;  // what else is wrong stays so
  return std::ssize(chat->tokens) + request.max_tokens.value_or(1) <= model.max_model_len();
}

std::vector<ChatMessage> without_turns_before(std::span<const ChatMessage> messages, size_t begin) {
  std::vector<ChatMessage> kept;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (i >= begin || messages[i].role == "system") kept.push_back(messages[i]);
  }
  return kept;
}

}  // namespace

void drop_oldest_turns(const ServedModel& model, ChatRequest& request) {
  if (!model.chat_template || fits(model, request, request.messages)) return;
  std::vector<size_t> turns;  // where they begin
  for (size_t i = 0; i < request.messages.size(); ++i) {
    if (request.messages[i].role == "user") turns.push_back(i);
  }
  const auto begin = std::ranges::partition_point(turns, [&](size_t turn) {
    return !fits(model, request, without_turns_before(request.messages, turn));
  });
  if (begin != turns.end()) request.messages = without_turns_before(request.messages, *begin);
}

}  // namespace quire
