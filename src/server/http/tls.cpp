#include "server/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace quire {
namespace {

using Context = std::shared_ptr<SSL_CTX>;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

// What OpenSSL says of its last failure; its queue of errors is empty then.
std::string openssl_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "no reason is known" : reason;
}

std::unexpected<Error> cannot_read(std::string param, std::string_view what, const std::string& path) {
  ERR_clear_error();
  return fail_param(std::move(param), "the {} file '{}' cannot be read: {}", what, path,
                    std::strerror(errno));
}

Expected<> use_certificate(SSL_CTX* context, const std::string& path) {
  errno = 0;
  const std::unique_ptr<BIO, FreeBio> file(BIO_new_file(path.c_str(), "r"));
  if (!file) return cannot_read("ssl_certfile", "certificate", path);
  if (SSL_CTX_use_certificate_chain_file(context, path.c_str()) != 1) {
    return fail_param("ssl_certfile",
                      "the certificate file '{}' is of no use: {}. It must have PEM blocks "
                      "'BEGIN CERTIFICATE', the server's own first",
                      path, openssl_reason());
  }
  if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context))) < 0) {
    LOG(warn, "the certificate in '{}' has expired: clients will refuse it", path);
  }
  return {};
}

// OpenSSL's callback for the password of an encrypted key; without one it would ask on the terminal.
struct Password {
  const std::string& text;
  bool was_asked = false;

  static int give(char* into, int size, int, void* self) {
    auto& password = *static_cast<Password*>(self);
    password.was_asked = true;
    if (password.text.empty() || std::cmp_greater(password.text.size(), size)) return -1;
    std::ranges::copy(password.text, into);
    return static_cast<int>(password.text.size());
  }
};

Expected<> use_key(SSL_CTX* context, const TlsFiles& files) {
  errno = 0;
  const std::unique_ptr<BIO, FreeBio> file(BIO_new_file(files.key.c_str(), "r"));
  if (!file) return cannot_read("ssl_keyfile", "key", files.key);
  Password password{files.password};
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PrivateKey(file.get(), nullptr, Password::give, &password));
  if (!key && password.was_asked) {
    ERR_clear_error();
    return fail_param("ssl_keyfile",
                      "the key file '{}' is encrypted, and {}: give it with "
                      "--ssl-keyfile-password or QUIRE_SSL_KEYFILE_PASSWORD",
                      files.key,
                      files.password.empty() ? "there is no password" : "its password is another");
  }
  if (!key) {
    return fail_param("ssl_keyfile",
                      "the key file '{}' is of no use: {}. It must have a PEM block 'BEGIN "
                      "PRIVATE KEY'",
                      files.key, openssl_reason());
  }
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1) {
    ERR_clear_error();
    return fail_param("ssl_keyfile", "the key in '{}' does not belong to the first certificate in '{}'",
                      files.key, files.certificate);
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) == 1) return {};
  return fail_param("ssl_keyfile", "the key in '{}' cannot be used: {}", files.key, openssl_reason());
}

Expected<Context> load(const TlsFiles& files) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fail(ErrorCode::kResourceExhausted, "OpenSSL cannot start: {}", openssl_reason());
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Clients keep their tickets themselves; the server remembers nothing of sessions that have ended.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  if (auto used = use_certificate(context.get(), files.certificate); !used) {
    return std::unexpected(used.error());
  }
  if (auto used = use_key(context.get(), files); !used) return std::unexpected(used.error());
  return context;
}

}  // namespace

TlsSession::TlsSession(Context context, int socket) : session_(SSL_new(context.get())) {
  if (session_ == nullptr || SSL_set_fd(session_, socket) != 1) throw std::bad_alloc();
}

TlsSession::~TlsSession() { SSL_free(session_); }

TlsSession::Step TlsSession::accept() {
  ERR_clear_error();
  const int result = SSL_accept(session_);
  return step_of(result, 0);
}

TlsSession::Step TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  size_t bytes = 0;
  const int result = SSL_read_ex(session_, into.data(), into.size(), &bytes);
  return step_of(result, bytes);
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  size_t written = 0;
  const int result = SSL_write_ex(session_, bytes.data(), bytes.size(), &written);
  return step_of(result, written);
}

void TlsSession::end() {
  ERR_clear_error();
  if (SSL_is_init_finished(session_)) SSL_shutdown(session_);
  ERR_clear_error();
}

TlsSession::Step TlsSession::step_of(int result, size_t bytes) {
  if (result == 1) return {Next::kDone, bytes};
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ: return {Next::kReadable};
    case SSL_ERROR_WANT_WRITE: return {Next::kWritable};
    case SSL_ERROR_ZERO_RETURN:
    case SSL_ERROR_SYSCALL: return {Next::kEnd};
    default: break;
  }
  switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_HTTP_REQUEST: return {Next::kPlainHttp};
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return {Next::kEnd};
    default: LOG(debug, "TLS: {}", openssl_reason()); return {Next::kFailed};
  }
}

Expected<std::unique_ptr<TlsContext>> TlsContext::open(TlsFiles files) {
  auto context = load(files);
  if (!context) return std::unexpected(context.error());
  std::signal(SIGPIPE, SIG_IGN);
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(files), std::move(*context)));
}

Expected<> TlsContext::reload() {
  const std::lock_guard alone(reloading_);
  auto context = load(files_);
  if (!context) return std::unexpected(context.error());
  std::lock_guard lock(mutex_);
  context_ = std::move(*context);
  return {};
}

std::unique_ptr<TlsSession> TlsContext::new_session(int socket) const {
  std::lock_guard lock(mutex_);
  return std::make_unique<TlsSession>(context_, socket);
}

}  // namespace quire
