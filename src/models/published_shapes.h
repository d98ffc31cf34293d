// Layers and widths of published models, to write files of random weights with (weights/random_model.h).
#pragma once

#include <span>
#include <string_view>

#include "weights/random_model.h"

namespace quire {

struct PublishedShape {
  std::string_view name;  // family and number of parameters
  RandomModelSpec spec;
};

// The first is what is taken if nothing is said.
std::span<const PublishedShape> published_shapes();

}  // namespace quire
