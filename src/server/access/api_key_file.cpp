#include "server/access/api_key_file.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/log.h"
#include "base/text.h"
#include "server/id_source.h"

namespace quire {
namespace {

constexpr size_t kMaxKeyFileBytes = 1 << 20;
constexpr size_t kMaxKeys = 1000;
constexpr size_t kMaxKeyBytes = 512;

template <class... Args>
std::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return fail_param("api_key_file", format, std::forward<Args>(args)...);
}

Expected<> read_name(const std::string& text, NamedKey& key) {
  if (!is_plain_id(text)) {
    return wrong("name is '{}', but must be 1 to 128 letters, digits, '.', '_' and '-'", text);
  }
  key.name = text;
  return {};
}

// What is wrong with a key is told without showing it.
Expected<> read_key(const std::string& text, NamedKey& key) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (text.empty() || text.size() > kMaxKeyBytes || !printable) {
    return wrong("key must be 1 to {} printable characters without spaces", kMaxKeyBytes);
  }
  if (text.starts_with("sha256:")) {
    return wrong("key begins with 'sha256:': what a key hashes to has a field of its own, sha256");
  }
  key.digest = ApiKeys::digest(text);
  return {};
}

Expected<> read_sha256(const std::string& text, NamedKey& key) {
  const bool hex = std::ranges::all_of(text, [](char c) { return hex_digit(c).has_value(); });
  if (text.size() != 2 * key.digest.size() || !hex) {
    return wrong("sha256 must be 64 hexadecimal digits: printf %s KEY | sha256sum");
  }
  for (size_t i = 0; i < key.digest.size(); ++i) {
    key.digest[i] = static_cast<unsigned char>(*hex_digit(text[2 * i]) * 16 + *hex_digit(text[2 * i + 1]));
  }
  return {};
}

Expected<> read_limit(std::string_view field, const std::string& text, int64_t& limit) {
  constexpr int64_t kMost = 1'000'000'000'000;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error == std::errc() && end == text.data() + text.size() && limit >= 1 && limit <= kMost) return {};
  return wrong("{} is '{}', but must be a whole number of at least 1; without it there is no limit", field,
               text);
}

Expected<> read_field(const std::string& field, const std::string& text, NamedKey& key) {
  if (field == "name") return read_name(text, key);
  if (field == "key") return read_key(text, key);
  if (field == "sha256") return read_sha256(text, key);
  if (field == "requests_per_minute") return read_limit(field, text, key.limits.requests_per_minute);
  if (field == "tokens_per_minute") return read_limit(field, text, key.limits.tokens_per_minute);
  if (field == "max_concurrency") return read_limit(field, text, key.limits.max_concurrency);
  static constexpr std::array<std::string_view, 6> kFields{
      "name", "key", "sha256", "requests_per_minute", "tokens_per_minute", "max_concurrency"};
  const std::string_view nearest = nearest_name(field, kFields);
  return wrong("there is no field '{}'{}", field,
               nearest.empty() ? std::string() : fmt::format("; did you mean '{}'?", nearest));
}

Expected<NamedKey> read_entry(const YAML::Node& entry) {
  if (!entry.IsMap()) return wrong("each of keys must have fields of its own, such as name and key");
  NamedKey key;
  bool has_key = false, has_digest = false;
  for (const auto& member : entry) {
    if (!member.first.IsScalar() || !member.second.IsScalar()) {
      return wrong("a field must be one word and its value");
    }
    const auto& field = member.first.Scalar();
    if (auto read = read_field(field, member.second.Scalar(), key); !read)
      return std::unexpected(read.error());
    has_key |= field == "key";
    has_digest |= field == "sha256";
  }
  if (key.name.empty()) return wrong("there is no name");
  if (has_key == has_digest) return wrong("'{}' must have either key or sha256", key.name);
  return key;
}

Expected<> check_unlike(const std::vector<NamedKey>& keys, const NamedKey& added) {
  for (const auto& key : keys) {
    if (key.name == added.name) return wrong("two keys have the name '{}'", key.name);
    if (key.digest == added.digest) return wrong("'{}' and '{}' are the same key", key.name, added.name);
  }
  return {};
}

Expected<std::vector<NamedKey>> read_root(const YAML::Node& root) {
  if (!root.IsMap() || root.size() != 1 || !root["keys"] || !root["keys"].IsSequence()) {
    return wrong("it must have 'keys:' and below it a list, each with '- name: ...' and more");
  }
  std::vector<NamedKey> keys;
  for (const auto& entry : root["keys"]) {
    auto key = read_entry(entry);
    if (!key) return wrong("line {}: {}", entry.Mark().line + 1, key.error().message);
    if (auto unlike = check_unlike(keys, *key); !unlike) return std::unexpected(unlike.error());
    if (keys.size() == kMaxKeys) return wrong("it has more than {} keys", kMaxKeys);
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return wrong("it has no key, so nobody could be served");
  return keys;
}

}  // namespace

Expected<std::vector<NamedKey>> parse_api_keys(std::string_view yaml) {
  try {
    return read_root(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& error) {
    return wrong("line {}: this is not YAML: {}", error.mark.line + 1, error.msg);
  }
}

Expected<std::vector<NamedKey>> read_api_key_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxKeyFileBytes + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof()) {
    if (file) return wrong("the key file '{}' is longer than {} bytes", path, kMaxKeyFileBytes);
    return wrong("the key file '{}' cannot be read: {}", path, std::strerror(errno));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0 &&
      text.find("key:") != std::string::npos) {
    LOG(warn, "others than its owner may read the keys in '{}': chmod 600 mends that", path);
  }
  auto keys = parse_api_keys(text);
  if (!keys) return wrong("the key file '{}': {}", path, keys.error().message);
  return keys;
}

}  // namespace quire
