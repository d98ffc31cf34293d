// Names of the ids that cross rooms. All are plain integers; none owns what it names.
#pragma once

#include <cstdint>

namespace quire {

using TokenId = int32_t;     // index into the vocabulary
using BlockId = int32_t;     // physical KV block, 0 <= id < number of blocks in the pool
using SwapSlotId = int32_t;  // room for one block in the swap space
using SlotId = int32_t;      // a worker's row: one a running sequence, reused after the sequence ends
using SequenceId = int64_t;  // one generated continuation; never reused
using RequestId = int64_t;   // one request (a group of sequences); never reused
using TenantId = int32_t;    // who asks: the number of an API key, 0 without keys

}  // namespace quire
