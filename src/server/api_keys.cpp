#include "server/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "server/server_config.h"

namespace quire {
namespace {

// The key in "Bearer KEY" (the scheme in any case, RFC 9110, 11.1), or nothing.
std::string_view bearer_key(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower != kScheme[i]) return {};
  }
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  return authorization;
}

}  // namespace

ApiKeys::ApiKeys(std::string_view list) {
  for (const auto& key : split_list(list)) digests_.push_back(digest(key));
}

ApiKeys::Digest ApiKeys::digest(std::string_view key) {
  Digest digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  CHECK(size == digest.size());
  return digest;
}

bool ApiKeys::accept(std::string_view authorization) const {
  if (!required()) return true;
  const std::string_view key = bearer_key(authorization);
  const Digest given = digest(key);
  int matches = 0;
  for (const auto& digest : digests_)
    matches += CRYPTO_memcmp(given.data(), digest.data(), digest.size()) == 0;
  return matches > 0 && !key.empty();
}

Expected<> check_given_keys(std::string_view list) {
  if (ApiKeys(list).required()) return {};
  return fail_param("api_key",
                    "--api-key or QUIRE_API_KEY is set, but names no key: give one, or unset both to serve "
                    "without");
}

}  // namespace quire
