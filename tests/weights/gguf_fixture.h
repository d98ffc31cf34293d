// Files for the tests of this room: a folder that cleans up, and a builder that writes any bytes it is told
// to, right or wrong.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "tests/base/temp_folder.h"
#include "weights/gguf_file.h"
#include "weights/gguf_format.h"

namespace quire {

inline void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The parts of a GGUF file, appended in any order and with any values.
struct RawGguf {
  std::string bytes;

  template <class T>
  RawGguf& number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  RawGguf& string(std::string_view text) {
    number(static_cast<uint64_t>(text.size()));
    bytes += text;
    return *this;
  }
  RawGguf& header(uint64_t num_tensors, uint64_t num_keys, uint32_t version = 3) {
    bytes += "GGUF";
    return number(version).number(num_tensors).number(num_keys);
  }
  RawGguf& key(std::string_view name, GgufType type) {
    return string(name).number(static_cast<uint32_t>(type));
  }
  RawGguf& tensor(std::string_view name, std::initializer_list<uint64_t> dims, uint32_t type,
                  uint64_t offset) {
    string(name).number(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) number(dim);
    return number(type).number(offset);
  }
  RawGguf& data(size_t count, size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    bytes.append(count, '\x01');
    return *this;
  }

  Expected<GgufFile> open(const TempFolder& folder) const {
    write_bytes(folder.file("raw.gguf"), bytes);
    return GgufFile::open(folder.file("raw.gguf"));
  }
};

// Fails unless `result` is an error of `code` whose message contains `part`.
template <class T>
void expect_error(const Expected<T>& result, ErrorCode code, std::string_view part) {
  ASSERT_FALSE(result.has_value()) << "expected an error with: " << part;
  EXPECT_EQ(to_string(result.error().code), to_string(code)) << result.error().message;
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
}

}  // namespace quire
