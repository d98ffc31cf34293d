#include <algorithm>
#include <array>
#include <string>

#include "models/architecture.h"
#include "models/llama.h"

namespace quire {
namespace {

constexpr std::array<Architecture, 1> kArchitectures{{
    {"llama", configure_llama, trace_llama},
}};

}  // namespace

std::span<const Architecture> architectures() { return kArchitectures; }

Expected<const Architecture*> find_architecture(std::string_view name) {
  const auto* found = std::ranges::find(kArchitectures, name, &Architecture::name);
  if (found != kArchitectures.end()) return found;
  std::string known;
  for (const Architecture& architecture : kArchitectures) {
    known += (known.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return fail(ErrorCode::kUnsupported,
              "the model's architecture is '{}'; this build knows: {}. Take a model of one of those", name,
              known);
}

}  // namespace quire
