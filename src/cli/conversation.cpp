#include "cli/conversation.h"

#include <algorithm>

namespace quire {

ChatMessage Conversation::message(std::string role, std::string content) {
  ChatMessage message;
  message.role = std::move(role);
  message.content = std::move(content);
  return message;
}

void Conversation::set_system(std::string system) {
  system_ = std::move(system);
  turns_.clear();
}

bool Conversation::drop_oldest() {
  const auto is_user = [](const ChatMessage& turn) { return turn.role == "user"; };
  const auto second =
      turns_.empty() ? turns_.end() : std::find_if(turns_.begin() + 1, turns_.end(), is_user);
  if (second == turns_.end()) return false;
  turns_.erase(turns_.begin(), second);
  return true;
}

std::vector<ChatMessage> Conversation::messages() const {
  std::vector<ChatMessage> all;
  if (!system_.empty()) all.push_back(message("system", system_));
  all.insert(all.end(), turns_.begin(), turns_.end());
  return all;
}

}  // namespace quire
