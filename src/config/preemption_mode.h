// What becomes of the keys and values of a request that gives its blocks up for others.
#pragma once

#include <cstdint>

namespace quire {

enum class PreemptionMode : uint8_t {
  kRecompute,  // they are computed again
  kSwap,       // they wait in the swap space, where it has room
  kAuto,       // whichever has been cheaper of late
};

}  // namespace quire
