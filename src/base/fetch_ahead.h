// What lies far apart and is visited seldom, as the state of many sequences once a step: fetched early, it
// is there in time.
#pragma once

#include <cstddef>

namespace quire {

inline constexpr size_t kFetchAhead = 4;  // visits from one fetch to the next that depends on it

inline void fetch_ahead(const void* object) { __builtin_prefetch(object); }

}  // namespace quire
