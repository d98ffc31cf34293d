// libFuzzer's entry to the target that the build names (QUIRE_FUZZ_TARGET). With QUIRE_FUZZ_SEEDS the
// program only writes the target's seeds into that folder.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/fuzz/fuzz_targets.h"

namespace {

const quire::FuzzTarget& target() {
  static const auto found = std::ranges::find(quire::fuzz_targets(), std::string_view(QUIRE_FUZZ_TARGET),
                                              &quire::FuzzTarget::name);
  if (found == quire::fuzz_targets().end()) std::abort();
  return *found;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("QUIRE_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  int number = 0;
  for (const std::string& seed : target().seeds()) {
    std::ofstream(std::string(folder) + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  }
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  target().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
