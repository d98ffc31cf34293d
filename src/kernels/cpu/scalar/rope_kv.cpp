#include "kernels/cpu/attention_entries.h"
#include "kernels/cpu/attention_layout.h"
#include "kernels/cpu/scalar/half.h"
#include "kernels/cpu/scalar/quantizer.h"

namespace quire {
namespace {

void put(float* to, float x) { *to = x; }
void put(Float16* to, float x) { to->bits = f16_from_float(x); }
void put(BFloat16* to, float x) { to->bits = bf16_from_float(x); }

// Rotates one head: pair i by the angle whose cosine and sine are cos_sin[2i] and cos_sin[2i + 1].
void rotate(float* head, const float* cos_sin, int32_t rope_dim, bool interleaved) {
  const int32_t half = rope_dim / 2;
  for (int32_t i = 0; i < half; ++i) {
    float& first = head[interleaved ? 2 * i : i];
    float& second = head[interleaved ? 2 * i + 1 : i + half];
    const float cosine = cos_sin[2 * i];
    const float sine = cos_sin[2 * i + 1];
    const float rotated = first * cosine - second * sine;
    second = first * sine + second * cosine;
    first = rotated;
  }
}

void rotate_heads(const RopeKvArgs& args, int64_t token, float* heads, int32_t num_heads) {
  const float* cos_sin = args.cos_sin + token * (args.rope_dim / 2 * 2);
  for (int32_t h = 0; h < num_heads; ++h) {
    rotate(heads + int64_t{h} * args.kv.head_dim, cos_sin, args.rope_dim, args.interleaved);
  }
}

template <class T>
void write_key(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* key) {
  T* to = reinterpret_cast<T*>(keys_of_block(kv, slot / kv.block_size, kv_head)) +
          key_offset(kv, static_cast<int32_t>(slot % kv.block_size));
  const int32_t lanes = key_lanes(kv.block_size);
  for (int32_t d = 0; d < kv.head_dim; ++d) put(to + int64_t{d} * lanes, key[d]);
}

template <class T>
void write_value(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* value) {
  T* to = reinterpret_cast<T*>(values_of_block(kv, slot / kv.block_size, kv_head)) +
          value_offset(kv, static_cast<int32_t>(slot % kv.block_size));
  for (int32_t d = 0; d < kv.head_dim; ++d) put(to + d, value[d]);
}

template <>
void write_key<Int8>(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* key) {
  std::byte* keys = keys_of_block(kv, slot / kv.block_size, kv_head);
  const auto offset = static_cast<int32_t>(slot % kv.block_size);
  Int8* to = reinterpret_cast<Int8*>(keys) + key_offset_int8(kv, offset);
  const Quantizer quantizer = quantizer_of(key, kv.head_dim, kMaxQuant);
  scales_of_block(kv, keys)[offset] = quantizer.scale;
  const int64_t stride = int64_t{2} * key_lanes(kv.block_size);
  for (int32_t d = 0; d < even(kv.head_dim); ++d) {
    to[d / 2 * stride + d % 2] = d < kv.head_dim ? static_cast<Int8>(quant(quantizer, key[d])) : Int8{0};
  }
}

template <>
void write_value<Int8>(const KvCacheView& kv, int64_t slot, int32_t kv_head, const float* value) {
  std::byte* values = values_of_block(kv, slot / kv.block_size, kv_head);
  const auto offset = static_cast<int32_t>(slot % kv.block_size);
  Int8* to = reinterpret_cast<Int8*>(values) + value_offset_int8(kv, offset);
  const Quantizer quantizer = quantizer_of(value, kv.head_dim, kMaxQuant);
  scales_of_block(kv, values)[offset] = quantizer.scale;
  for (int32_t d = 0; d < kv.head_dim; ++d) {
    to[int64_t{2} * d] = static_cast<Int8>(quant(quantizer, value[d]));
  }
}

// `rotated` is null, or room for one head: the key is then rotated there.
template <class T>
void write_token(const RopeKvArgs& args, int64_t token, float* rotated) {
  const KvCacheView& kv = args.kv;
  for (int32_t h = 0; h < kv.num_kv_heads; ++h) {
    const int64_t at = token * args.stride + int64_t{h} * kv.head_dim;
    const float* key = args.k + at;
    if (rotated != nullptr) {
      for (int32_t d = 0; d < kv.head_dim; ++d) rotated[d] = key[d];
      rotate_heads(args, token, rotated, 1);
      key = rotated;
    }
    write_key<T>(kv, args.slots[token], h, key);
    write_value<T>(kv, args.slots[token], h, args.v + at);
  }
}

void write_token(const RopeKvArgs& args, int64_t token, float* rotated) {
  switch (args.kv.dtype) {
    case KvDType::kF32: return write_token<float>(args, token, rotated);
    case KvDType::kF16: return write_token<Float16>(args, token, rotated);
    case KvDType::kBF16: return write_token<BFloat16>(args, token, rotated);
    case KvDType::kInt8: return write_token<Int8>(args, token, rotated);
  }
}

}  // namespace

namespace scalar {

void rope(const ExecContext&, const RopeKvArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    rotate_heads(args, token, args.q + token * args.stride, args.num_heads);
    rotate_heads(args, token, args.k + token * args.stride, args.kv.num_kv_heads);
  }
}

void kv_write(const ExecContext&, const RopeKvArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) write_token(args, token, nullptr);
}

void rope_kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end) {
  float* rotated = reinterpret_cast<float*>(context.scratch);
  for (int64_t token = begin; token < end; ++token) {
    rotate_heads(args, token, args.q + token * args.stride, args.num_heads);
    write_token(args, token, rotated);
  }
}

}  // namespace scalar
}  // namespace quire
