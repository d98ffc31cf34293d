#include "server/access/allowed_hosts.h"

#include <gtest/gtest.h>

#include "server/api.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

constexpr const char* kForeign[] = {
    "evil.example",       "evil.example:8000",        "127.0.0.1.evil.example",
    "localhost.evil.com", "docker.internal.evil.com", "internal",
    "evillocalhost",      "[evil.example]:8000",      "[::1",
    "quire.example.org"};
constexpr const char* kOwn[] = {
    "127.0.0.1:8000", "127.0.0.1", "localhost:8000",  "LocalHost.", "[::1]:8000",
    "192.168.1.7:1",  "",          "quire.localhost", "0.0.0.0:80", "host.docker.internal:8000"};

TEST(AllowedHosts, OnTheLoopbackWithoutAKeyOnlyAddressesAndLocalhost) {
  for (const char* bound : {"127.0.0.1", "localhost", "::1", "127.0.0.2"}) {
    const AllowedHosts hosts("", bound);
    for (const char* host : kOwn) EXPECT_TRUE(hosts.allows(host, false)) << host;
    for (const char* host : kForeign) EXPECT_FALSE(hosts.allows(host, false)) << host;
    for (const char* host : kForeign) EXPECT_TRUE(hosts.allows(host, true)) << "with a key, " << host;
  }
}

TEST(AllowedHosts, OfANetworkAny) {
  for (const char* bound : {"0.0.0.0", "::", "192.168.1.7", "quire.lan"}) {
    for (const char* host : kForeign) EXPECT_TRUE(AllowedHosts("", bound).allows(host, false)) << host;
  }
}

TEST(AllowedHosts, AListHoldsWhereverTheServerIs) {
  for (const char* bound : {"127.0.0.1", "quire.lan"}) {
    for (const bool needs_key : {false, true}) {
      const AllowedHosts hosts("Quire.Example.org, other", bound);
      EXPECT_TRUE(hosts.allows("quire.example.org:443", needs_key));
      EXPECT_TRUE(hosts.allows("OTHER", needs_key));
      EXPECT_TRUE(hosts.allows(bound, needs_key));
      EXPECT_TRUE(hosts.allows("localhost", needs_key));
      EXPECT_FALSE(hosts.allows("evil.example", needs_key));
      EXPECT_FALSE(hosts.allows("sub.quire.example.org", needs_key));
    }
  }
  EXPECT_TRUE(AllowedHosts("*", "127.0.0.1").allows("evil.example", false));
}

TEST(AllowedHosts, ListsAreChecked) {
  EXPECT_TRUE(check_hosts(""));
  EXPECT_TRUE(check_hosts("*"));
  EXPECT_TRUE(check_hosts("a.example, b"));
  for (const char* wrong : {"http://a.example", "a.example:80", "a/b", "*,a", "*.example", "a b"}) {
    const auto checked = check_hosts(wrong);
    ASSERT_FALSE(checked) << wrong;
    EXPECT_EQ(checked.error().param, "allowed_hosts");
  }
}

// What a page of evil.example sees whose name resolves to this machine.
class AllowedHostsApi : public ApiFixture {};

TEST_F(AllowedHostsApi, AForeignNameIsRefusedOnEveryPath) {
  for (const char* path : {"/v1/models", "/metrics", "/", "/live", "/v1/chat/completions"}) {
    for (const HttpMethod method : {HttpMethod::kGet, HttpMethod::kPost, HttpMethod::kOptions}) {
      RequestHead head{method, path, {}, "application/json"};
      head.host = "evil.example:8000";
      const auto refused = api.refuse(head);
      ASSERT_TRUE(refused) << path;
      EXPECT_EQ(refused->status, 403);
      EXPECT_EQ(refused->code, "host_not_allowed");
    }
  }
}

}  // namespace
}  // namespace quire
