// Certificates for tests of TLS: signed by themselves, valid now or long ago, with keys on P-256.
#pragma once

#include <string>
#include <string_view>

namespace quire {

struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};

struct TestCertificateOptions {
  std::string_view name = "localhost";
  std::string_view password = {};  // of the key; empty: it is not encrypted
  bool expired = false;
};

TestCertificate make_certificate(const TestCertificateOptions& options = {});

}  // namespace quire
