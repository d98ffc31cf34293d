#include "models/published_shapes.h"

#include <gtest/gtest.h>

#include "models/architecture.h"

namespace quire {
namespace {

// Counted by hand from the shapes: layers, and the embedding that is also the output.
TEST(PublishedShapes, HaveAboutAsManyParametersAsTheirNamesSay) {
  for (const auto& [name, spec] : published_shapes()) {
    EXPECT_TRUE(find_architecture(spec.architecture)) << name;
    const int64_t heads = int64_t{spec.heads} * spec.head_dim,
                  kv = int64_t{2} * spec.kv_heads * spec.head_dim;
    const int64_t layer = spec.hidden * (2 * heads + kv) + int64_t{3} * spec.hidden * spec.ff;
    const auto millions =
        static_cast<double>(spec.layers * layer + int64_t{spec.vocab} * spec.hidden) * 1e-6;
    const double named = name.ends_with("m")
                             ? std::stod(std::string(name.substr(name.find('-') + 1)))
                             : 1000 * std::stod(std::string(name.substr(name.find('-') + 1)));
    EXPECT_NEAR(millions / named, 1, 0.25) << name << ": " << millions;
  }
}

}  // namespace
}  // namespace quire
