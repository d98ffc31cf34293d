// A request's body as JSON, within bounds: one object, at most kMaxJsonDepth levels, every string valid
// UTF-8 (so no lone surrogate, however it is spelled), no name twice in one object unless that is allowed.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

inline constexpr size_t kMaxJsonDepth = 64;

using JsonValue = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

class JsonDocument {
 public:
  enum class Names : uint8_t { kOnce, kRepeated };  // in one object

  // Keeps a copy of what it needs of `body`. Its memory is a small multiple of the body's.
  static Expected<JsonDocument> parse(std::string_view body, Names names = Names::kOnce);

  JsonObject root() const { return root_; }

 private:
  JsonDocument() = default;

  std::unique_ptr<simdjson::dom::parser> parser_;  // owns the values
  JsonObject root_;
};

// What a message calls the value's type: "a string", "an integer", "null", ...
std::string_view type_name(JsonValue value);

// The start of a client's text, as a message may quote it.
std::string excerpt(std::string_view text);

}  // namespace quire
