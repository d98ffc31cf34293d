#include "server/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "server/embedded_files.h"

namespace quire {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(Page, IsWhatLiesInItsFolder) {
  std::map<std::string, std::string> on_disk;
  for (const auto& entry : std::filesystem::directory_iterator(QUIRE_SOURCE_DIR "/src/server/page")) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    on_disk[entry.path().filename()] = text.str();
  }
  EXPECT_GT(on_disk.size(), 10U);
  std::map<std::string, std::string> built_in;
  for (const EmbeddedFile& source : page_files()) built_in[std::string(source.name)] = source.text;
  EXPECT_EQ(built_in, on_disk);
}

TEST(Page, FilesHaveTheirTypes) {
  EXPECT_EQ(page_response("/", {}).content_type, "text/html; charset=utf-8");
  EXPECT_EQ(page_response("/page/app.js", {}).content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(page_response("/page/style.css", {}).content_type, "text/css; charset=utf-8");
  EXPECT_EQ(page_response("/page/icon.svg", {}).content_type, "image/svg+xml");
  for (const char* path : {"/page/", "/page/nothing.js", "/page/../api.cpp", "/page//app.js"})
    EXPECT_EQ(page_response(path, {}).status, 404) << path;
}

TEST(Page, NothingButItsOwnFilesMayRun) {
  const std::string policy = header(page_response("/", {}), "Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("script-src 'self'"));
  EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_EQ(header(page_response("/page/app.js", {}), "X-Content-Type-Options"), "nosniff");
}

TEST(Page, AFileThatTheClientHasIsNotSentAgain) {
  const HttpResponse first = page_response("/page/app.js", {});
  const std::string etag = header(first, "ETag");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(etag.size(), 34U);
  EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
  for (const std::string& tags : {etag, "\"other\", W/" + etag, std::string("*")}) {
    const HttpResponse again = page_response("/page/app.js", tags);
    EXPECT_EQ(again.status, 304) << tags;
    EXPECT_TRUE(again.body.empty());
    EXPECT_EQ(header(again, "ETag"), etag);
  }
  EXPECT_EQ(page_response("/page/chat.js", etag).status, 200);
}

// Nothing from elsewhere, nothing inline: the policy would block it.
TEST(Page, AsksNobodyElse) {
  for (const EmbeddedFile& source : page_files()) {
    EXPECT_THAT(source.text, Not(HasSubstr("innerHTML"))) << source.name;
    EXPECT_THAT(source.text, Not(HasSubstr("src=\"http"))) << source.name;
    EXPECT_THAT(source.text, Not(HasSubstr(" style=\""))) << source.name;
    EXPECT_THAT(source.text, Not(HasSubstr("url("))) << source.name;
  }
}

}  // namespace
}  // namespace quire
