// TLS 1.2 and 1.3 (RFC 5246, 8446) on clients' sockets, by OpenSSL: the server's certificate, which may be
// read again while it serves, and what goes on over one socket. Of the protocols named by ALPN there is one,
// HTTP/1.1, so none is negotiated.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

struct ssl_st;
struct ssl_ctx_st;

namespace quire {

// Paths of PEM files. Certificates: the server's own first, then those that lead to the root.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string password;  // of the key, if it is encrypted
};

// One socket's encryption. Belongs to whoever owns the socket, which must be open while this is called;
// nothing here blocks. Holds the socket's buffers of some ten KiB only while they have something.
class TlsSession {
 public:
  enum class Next {
    kDone,
    kReadable,   // call it again, with the same arguments, when the socket can be read
    kWritable,   // the same when it can be written
    kEnd,        // the client has ended its side, or is gone
    kPlainHttp,  // the client does not know that this is TLS; nothing was sent
    kFailed,     // what came is not TLS, or there is no common version or cipher
  };
  struct Step {
    Next next = Next::kFailed;
    size_t bytes = 0;  // kDone: how many were read or written, at least one
  };

  TlsSession(std::shared_ptr<ssl_ctx_st> context, int socket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Step accept();  // the handshake; first of all, until it is done
  Step read(std::span<char> into);
  Step write(std::string_view bytes);
  void end();  // tells the client that no more comes, if there is room to say it

 private:
  Step step_of(int result, size_t bytes);

  ssl_st* const session_;
};

// Any thread.
class TlsContext {
 public:
  // An error (param ssl_certfile or ssl_keyfile) names the file that is missing, unreadable or not what it
  // should be, and says so if key and certificate do not belong together. From then on the process ignores
  // SIGPIPE, for OpenSSL writes to sockets that may be closed.
  static Expected<std::unique_ptr<TlsContext>> open(TlsFiles files);

  // Reads the files again, for connections that begin from now on. With an error all stays as it was. Calls
  // wait for each other, so what was read last is in use.
  Expected<> reload();

  // `socket` is a connected one that does not block.
  std::unique_ptr<TlsSession> new_session(int socket) const;

 private:
  TlsContext(TlsFiles files, std::shared_ptr<ssl_ctx_st> context)
      : files_(std::move(files)), context_(std::move(context)) {}

  const TlsFiles files_;
  std::mutex reloading_;
  mutable std::mutex mutex_;  // of context_
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace quire
