#include "server/http/tls.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "tests/base/temp_folder.h"
#include "tests/server/certificate_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;
using Next = TlsSession::Next;

void write_text(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

// Files of one certificate in a folder of their own.
class TlsFilesOnDisk {
 public:
  explicit TlsFilesOnDisk(const TestCertificateOptions& options = {}) { put(options); }

  void put(const TestCertificateOptions& options) {
    const TestCertificate made = make_certificate(options);
    write_text(files.certificate, made.certificate_pem);
    write_text(files.key, made.key_pem);
  }

  TempFolder folder;
  TlsFiles files{folder.file("cert.pem"), folder.file("key.pem"), {}};
};

// Two connected sockets: a server's session on one, a client of OpenSSL's or raw bytes on the other.
class Handshake {
 public:
  explicit Handshake(const TlsContext& context, int client_version = TLS1_3_VERSION) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets_.data()), 0);
    server = context.new_session(sockets_[0]);
    client_context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(client_context_, 0);  // or it would not even try TLS 1.1
    SSL_CTX_set_min_proto_version(client_context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(client_context_, client_version);
    client = SSL_new(client_context_);
    SSL_set_fd(client, sockets_[1]);
  }
  ~Handshake() {
    SSL_free(client);
    SSL_CTX_free(client_context_);
    server.reset();
    for (const int socket : sockets_) ::close(socket);
  }

  // Both sides by turns until the server knows what comes of it.
  Next shake_hands() {
    for (int turn = 0; turn < 100; ++turn) {
      SSL_connect(client);
      const auto step = server->accept();
      if (step.next != Next::kReadable && step.next != Next::kWritable) {
        SSL_connect(client);
        return step.next;
      }
    }
    return Next::kReadable;
  }
  Next accept_bytes(std::string_view bytes) {
    EXPECT_EQ(::send(sockets_[1], bytes.data(), bytes.size(), 0), std::ssize(bytes));
    return server->accept().next;
  }
  void end_client() { ::shutdown(sockets_[1], SHUT_RDWR); }
  std::string served_name() const {
    std::array<char, 100> name{};
    X509* certificate = SSL_get1_peer_certificate(client);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), 100);
    X509_free(certificate);
    return name.data();
  }

  std::unique_ptr<TlsSession> server;
  SSL* client = nullptr;

 private:
  std::array<int, 2> sockets_{};
  SSL_CTX* client_context_ = nullptr;
};

class TlsTest : public testing::Test {
 protected:
  TlsFilesOnDisk on_disk;
  std::unique_ptr<TlsContext> context = std::move(TlsContext::open(on_disk.files)).value();
};

TEST_F(TlsTest, BytesGoBothWays) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Handshake pair(*context, version);
    ASSERT_EQ(pair.shake_hands(), Next::kDone);
    std::array<char, 64> buffer{};
    EXPECT_EQ(pair.server->read(buffer).next, Next::kReadable);
    ASSERT_EQ(SSL_write(pair.client, "question", 8), 8);
    const auto read = pair.server->read(buffer);
    ASSERT_EQ(read.next, Next::kDone);
    EXPECT_EQ(std::string_view(buffer.data(), read.bytes), "question");
    const auto written = pair.server->write("answer");
    ASSERT_EQ(written.next, Next::kDone);
    EXPECT_EQ(written.bytes, 6u);
    ASSERT_EQ(SSL_read(pair.client, buffer.data(), 64), 6);
    EXPECT_EQ(std::string_view(buffer.data(), 6), "answer");
  }
}

TEST_F(TlsTest, AnAnswerLongerThanTheSocketTakesGoesOn) {
  Handshake pair(*context);
  ASSERT_EQ(pair.shake_hands(), Next::kDone);
  std::string text;
  for (int i = 0; text.size() < (4 << 20); ++i) text += std::to_string(i);
  std::string received;
  std::array<char, 1 << 14> buffer{};
  size_t sent = 0;
  bool had_to_wait = false;
  while (received.size() < text.size()) {
    while (sent < text.size()) {
      const auto step = pair.server->write(std::string_view(text).substr(sent));
      if (step.next != Next::kDone) {
        ASSERT_EQ(step.next, Next::kWritable);
        had_to_wait = true;
        break;
      }
      sent += step.bytes;
    }
    const int got = SSL_read(pair.client, buffer.data(), buffer.size());
    ASSERT_GT(got, 0);
    received.append(buffer.data(), static_cast<size_t>(got));
  }
  EXPECT_TRUE(had_to_wait);
  EXPECT_EQ(received, text);
}

TEST_F(TlsTest, EitherSideEnds) {
  std::array<char, 8> buffer{};
  {
    Handshake pair(*context);
    ASSERT_EQ(pair.shake_hands(), Next::kDone);
    pair.server->end();
    EXPECT_EQ(SSL_read(pair.client, buffer.data(), 8), 0);
    EXPECT_EQ(SSL_get_error(pair.client, 0), SSL_ERROR_ZERO_RETURN);
    SSL_shutdown(pair.client);
    EXPECT_EQ(pair.server->read(buffer).next, Next::kEnd);
  }
  {
    Handshake pair(*context);
    ASSERT_EQ(pair.shake_hands(), Next::kDone);
    pair.end_client();
    EXPECT_EQ(pair.server->read(buffer).next, Next::kEnd);
    EXPECT_EQ(pair.server->write("answer").next, Next::kEnd);
  }
  {
    Handshake pair(*context);  // before any handshake
    pair.server->end();
    pair.end_client();
    EXPECT_EQ(pair.server->accept().next, Next::kEnd);
  }
}

TEST_F(TlsTest, WhatIsNoTlsIsTold) {
  EXPECT_EQ(Handshake(*context).accept_bytes("GET / HTTP/1.1\r\n\r\n"), Next::kPlainHttp);
  EXPECT_EQ(Handshake(*context).accept_bytes("POST /v1/completions HTTP/1.1\r\n"), Next::kPlainHttp);
  EXPECT_EQ(Handshake(*context).accept_bytes(std::string(100, 'x')), Next::kFailed);
  EXPECT_EQ(Handshake(*context).accept_bytes("\x16"), Next::kReadable);
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  EXPECT_EQ(Handshake(*context, TLS1_1_VERSION).shake_hands(), Next::kFailed);
}

RC_GTEST_FIXTURE_PROP(TlsTest, NoiseNeverShakesHands, (std::string noise, bool like_a_record)) {
  noise.resize(std::min<size_t>(noise.size(), 4096));
  if (like_a_record) noise.insert(0, std::string("\x16\x03\x01\x00\x20\x01", 6));
  RC_PRE(!noise.empty());
  RC_ASSERT(Handshake(*context).accept_bytes(noise) != Next::kDone);
}

TEST_F(TlsTest, ACertificateIsReadAgain) {
  on_disk.put({.name = "second"});
  Handshake before(*context);
  ASSERT_EQ(before.shake_hands(), Next::kDone);
  EXPECT_EQ(before.served_name(), "localhost");
  ASSERT_TRUE(context->reload());
  Handshake after(*context);
  ASSERT_EQ(after.shake_hands(), Next::kDone);
  EXPECT_EQ(after.served_name(), "second");

  write_text(on_disk.files.key, make_certificate().key_pem);
  EXPECT_EQ(context->reload().error().param, "ssl_keyfile");
  Handshake unchanged(*context);
  ASSERT_EQ(unchanged.shake_hands(), Next::kDone);
  EXPECT_EQ(unchanged.served_name(), "second");
}

TEST_F(TlsTest, AnExpiredCertificateIsUsedAllTheSame) {
  on_disk.put({.expired = true});
  EXPECT_TRUE(TlsContext::open(on_disk.files));
}

void expect_refused(const TlsFiles& files, std::string_view param, std::string_view words) {
  const auto opened = TlsContext::open(files);
  ASSERT_FALSE(opened) << words;
  EXPECT_EQ(opened.error().param, param);
  EXPECT_THAT(opened.error().message, HasSubstr(words));
  EXPECT_THAT(opened.error().message, HasSubstr(param == "ssl_keyfile" ? files.key : files.certificate));
}

TEST_F(TlsTest, FilesThatAreOfNoUseAreNamed) {
  const TlsFiles good = on_disk.files;
  const std::string missing = on_disk.folder.file("missing.pem"), text = on_disk.folder.file("text.pem");
  write_text(text, "no PEM at all\n");
  expect_refused({missing, good.key, {}}, "ssl_certfile", "No such file");
  expect_refused({good.certificate, missing, {}}, "ssl_keyfile", "No such file");
  expect_refused({text, good.key, {}}, "ssl_certfile", "BEGIN CERTIFICATE");
  expect_refused({good.key, good.key, {}}, "ssl_certfile", "BEGIN CERTIFICATE");
  expect_refused({good.certificate, text, {}}, "ssl_keyfile", "BEGIN PRIVATE KEY");
  const TlsFilesOnDisk other;
  expect_refused({good.certificate, other.files.key, {}}, "ssl_keyfile", "does not belong");
}

TEST_F(TlsTest, AnEncryptedKeyNeedsItsPassword) {
  on_disk.put({.password = "open sesame"});
  TlsFiles files = on_disk.files;
  expect_refused(files, "ssl_keyfile", "there is no password");
  files.password = "another";
  expect_refused(files, "ssl_keyfile", "its password is another");
  files.password = "open sesame";
  EXPECT_TRUE(TlsContext::open(files));
}

}  // namespace
}  // namespace quire
