#include "cli/conversation.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

std::string spoken(const Conversation& conversation) {
  std::string out;
  for (const ChatMessage& message : conversation.messages())
    out += message.role + ":" + message.content + " ";
  return out;
}

TEST(Conversation, PutsTheSystemMessageFirst) {
  Conversation conversation("be brief");
  conversation.add_user("hi");
  conversation.add_assistant("hello");
  EXPECT_EQ(spoken(conversation), "system:be brief user:hi assistant:hello ");
  conversation.set_system("");
  EXPECT_EQ(spoken(conversation), "");
}

TEST(Conversation, ForgetsTheOldestExchangeButNeverTheQuestion) {
  Conversation conversation("s");
  conversation.add_user("1");
  conversation.add_assistant("a");
  conversation.add_user("2");
  conversation.add_assistant("b");
  conversation.add_user("3");
  EXPECT_TRUE(conversation.drop_oldest());
  EXPECT_EQ(spoken(conversation), "system:s user:2 assistant:b user:3 ");
  EXPECT_TRUE(conversation.drop_oldest());
  EXPECT_FALSE(conversation.drop_oldest());
  EXPECT_EQ(spoken(conversation), "system:s user:3 ");
  conversation.drop_last();
  EXPECT_FALSE(conversation.drop_oldest());
  EXPECT_EQ(spoken(conversation), "system:s ");
}

}  // namespace
}  // namespace quire
