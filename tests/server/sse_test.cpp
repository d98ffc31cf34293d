#include "server/http/sse.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(Sse, FramesEachEventWithABlankLine) {
  std::string out;
  append_event(out, R"({"a":1})");
  append_event(out, R"({"b":2})");
  append_done_event(out);
  EXPECT_EQ(out, "data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE]\n\n");
}

}  // namespace
}  // namespace quire
