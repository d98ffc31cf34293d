// Who may use the API. Keys are compared by their SHA-256 in constant time, so that an answer's time says
// nothing of how much of a guess was right (CVE-2025-59425).
#pragma once

#include <array>
#include <string_view>
#include <vector>

namespace quire {

class ApiKeys {
 public:
  // Keys separated by commas; spaces around them do not count. None: everybody may.
  explicit ApiKeys(std::string_view list);

  bool required() const { return !digests_.empty(); }

  // `authorization` is the value of that header: "Bearer KEY".
  bool accept(std::string_view authorization) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest(std::string_view key);

  std::vector<Digest> digests_;
};

}  // namespace quire
