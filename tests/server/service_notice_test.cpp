#include "server/service_notice.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

// A service manager: what it is sent at `name`, where '@' stands for a NUL.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& name) : descriptor_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, address.sun_path);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~ServiceManager() {
    unsetenv("NOTIFY_SOCKET");
    close(descriptor_);
  }

  // Empty if nothing has come.
  std::string receive() const {
    char text[256];
    const auto length = recv(descriptor_, text, sizeof text, MSG_DONTWAIT);
    return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
  }

 private:
  int descriptor_;
};

TEST(ServiceNoticeTest, GoesToTheSocketThatIsNamed) {
  const TempFolder folder;
  const ServiceManager manager(folder.file("notify"));
  notify_service_manager("READY=1\nSTATUS=serving");
  EXPECT_EQ(manager.receive(), "READY=1\nSTATUS=serving");
  EXPECT_EQ(manager.receive(), "");
}

TEST(ServiceNoticeTest, GoesToAnAbstractSocket) {
  const ServiceManager manager("@quire-test-" + std::to_string(getpid()));
  notify_service_manager("STOPPING=1");
  EXPECT_EQ(manager.receive(), "STOPPING=1");
}

TEST(ServiceNoticeTest, NobodyThereIsNoError) {
  unsetenv("NOTIFY_SOCKET");
  notify_service_manager("READY=1");
  setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  notify_service_manager("READY=1");
  setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  notify_service_manager("READY=1");
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace quire
