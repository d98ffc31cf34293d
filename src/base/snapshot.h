// The latest value of a small plain struct, from one writer to any readers: no lock, and a reader never
// sees half of one value and half of another. A sequence lock (Boehm 2012, "Can seqlocks get along with
// programming language memory models?"): readers try again while a write is under way.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace quire {

template <class T>
class Snapshot {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Snapshot() { store(T{}); }

  // One thread.
  void store(const T& value) {
    Words words{};
    std::memcpy(words.data(), &value, sizeof(T));
    const uint64_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    // Release: whoever sees a new word sees that a write is under way.
    for (size_t i = 0; i < words.size(); ++i) words_[i].store(words[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
  }

  // Any thread.
  T load() const {
    Words words{};
    for (;;) {
      const uint64_t version = version_.load(std::memory_order_acquire);
      for (size_t i = 0; i < words.size(); ++i) words[i] = words_[i].load(std::memory_order_acquire);
      if (version % 2 == 0 && version_.load(std::memory_order_relaxed) == version) break;
    }
    T value;
    std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
    return value;
  }

 private:
  using Words = std::array<uint64_t, (sizeof(T) + 7) / 8>;
  std::array<std::atomic<uint64_t>, (sizeof(T) + 7) / 8> words_{};
  std::atomic<uint64_t> version_{0};
};

}  // namespace quire
