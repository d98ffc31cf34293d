#include "tests/server/certificate_fixture.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace quire {
namespace {

std::string take_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

}  // namespace

TestCertificate make_certificate(const TestCertificateOptions& options) {
  constexpr long kDay = 86400;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.expired ? -2 * kDay : 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.expired ? -kDay : kDay);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.name.data()),
                             static_cast<int>(options.name.size()), -1, 0);
  X509_set_issuer_name(certificate, name);
  EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);

  TestCertificate made;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  made.certificate_pem = take_text(bio);
  bio = BIO_new(BIO_s_mem());
  const auto* password = reinterpret_cast<const unsigned char*>(options.password.data());
  PEM_write_bio_PrivateKey(bio, key, options.password.empty() ? nullptr : EVP_aes_128_cbc(), password,
                           static_cast<int>(options.password.size()), nullptr, nullptr);
  made.key_pem = take_text(bio);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

}  // namespace quire
