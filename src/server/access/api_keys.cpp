#include "server/access/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "server/server_config.h"

namespace quire {
ApiKeys::ApiKeys(std::string_view list) {
  for (const auto& key : split_list(list)) {
    listed_.push_back({digest(key), static_cast<TenantId>(listed_.size() + 1)});
  }
  table_ = std::make_shared<const Table>(listed_);
}

std::string_view ApiKeys::bearer_key(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (ascii_lower(authorization.substr(0, kScheme.size())) != kScheme) return {};
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  return authorization;
}

std::vector<TenantId> ApiKeys::set_named(std::span<const NamedKey> keys) {
  std::lock_guard lock(mutex_);
  std::vector<TenantId> numbers;
  Table table = listed_;
  for (const auto& key : keys) {
    const auto next = static_cast<TenantId>(listed_.size() + numbers_.size() + 1);
    const TenantId number = numbers_.try_emplace(key.name, next).first->second;
    table.push_back({key.digest, number});
    numbers.push_back(number);
  }
  table_ = std::make_shared<const Table>(std::move(table));
  return numbers;
}

std::shared_ptr<const ApiKeys::Table> ApiKeys::table() const {
  std::lock_guard lock(mutex_);
  return table_;
}

TenantId ApiKeys::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<TenantId>(listed_.size() + numbers_.size());
}

std::string ApiKeys::name_of(TenantId key) const {
  std::lock_guard lock(mutex_);
  for (const auto& [name, number] : numbers_) {
    if (number == key) return name;
  }
  return {};
}

ApiKeys::Digest ApiKeys::digest(std::string_view key) {
  Digest digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  CHECK(size == digest.size());
  return digest;
}

TenantId ApiKeys::find(std::string_view authorization) const {
  const std::string_view key = bearer_key(authorization);
  const Digest given = digest(key);
  const auto known = table();
  TenantId found = 0;
  for (const auto& [known_digest, number] : *known) {
    const bool matches = CRYPTO_memcmp(given.data(), known_digest.data(), given.size()) == 0;
    found = std::max(found, static_cast<TenantId>(matches) * number);
  }
  return key.empty() ? 0 : found;
}

Expected<> check_given_keys(std::string_view list) {
  if (ApiKeys(list).required()) return {};
  return fail_param("api_key",
                    "--api-key or QUIRE_API_KEY is set, but names no key: give one, or unset both to serve "
                    "without");
}

}  // namespace quire
