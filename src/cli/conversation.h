// The messages of a chat, oldest first, with an optional system message in front.
#pragma once

#include <string>
#include <vector>

#include "server/requests/chat_request.h"

namespace quire {

class Conversation {
 public:
  explicit Conversation(std::string system) : system_(std::move(system)) {}

  const std::string& system() const { return system_; }
  // A new system message is a new conversation.
  void set_system(std::string system);
  void clear() { turns_.clear(); }

  void add_user(std::string text) { turns_.push_back(message("user", std::move(text))); }
  void add_assistant(std::string text) { turns_.push_back(message("assistant", std::move(text))); }

  // Takes back the user's last message, which found no answer.
  void drop_last() { turns_.pop_back(); }

  // Forgets the oldest question and its answer; false when only the last question is left.
  bool drop_oldest();

  std::vector<ChatMessage> messages() const;

 private:
  static ChatMessage message(std::string role, std::string content);

  std::string system_;  // empty: none
  std::vector<ChatMessage> turns_;
};

}  // namespace quire
