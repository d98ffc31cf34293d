#include "memory/block_hasher.h"

#include <sodium.h>

#include "base/check.h"

namespace quire {
namespace {

void init_sodium() {
  static const int result = sodium_init();  // picks the processor's form of BLAKE2b
  CHECK(result >= 0, "libsodium does not start");
}

template <class T>
void add(crypto_generichash_state& state, std::span<const T> values) {
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(values.data()),
                            values.size_bytes());
}

}  // namespace

Blake2Hasher::Blake2Hasher(const Secret& secret) : secret_(secret) { init_sodium(); }

Blake2Hasher::Secret Blake2Hasher::random_secret() {
  init_sodium();
  Secret secret;
  randombytes_buf(secret.data(), secret.size());
  return secret;
}

BlockDigest Blake2Hasher::root(const PrefixScope& scope) const {
  BlockDigest digest;
  crypto_generichash_state state;
  crypto_generichash_init(&state, secret_.data(), secret_.size(), digest.size());
  add(state, std::span<const int32_t>(&scope.adapter, 1));
  add(state, std::span<const TenantId>(&scope.tenant, 1));
  add(state, std::span<const char>(scope.salt));
  crypto_generichash_final(&state, digest.data(), digest.size());
  return digest;
}

BlockDigest Blake2Hasher::child(const BlockDigest& parent, std::span<const TokenId> tokens) const {
  BlockDigest digest;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  add(state, std::span<const uint8_t>(parent));
  add(state, tokens);
  crypto_generichash_final(&state, digest.data(), digest.size());
  return digest;
}

}  // namespace quire
