#include "kernels/kernel_table.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "kernels/cpu/fill.h"
#include "kernels/cpu_features.h"

namespace quire {
namespace {

constexpr std::array kLevels = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx};

bool cpu_has(Isa isa) {
  static const CpuFeatures features = detect_cpu_features();
  switch (isa) {
    case Isa::kScalar: return true;
    case Isa::kAvx2: return features.avx2;
    case Isa::kAvx512: return features.avx512;
    case Isa::kVnni: return features.vnni;
    case Isa::kAmx: return features.amx;
  }
  return false;
}

// Each level overwrites what it improves of those below it.
KernelTable build_table(Isa isa) {
  KernelTable table{};
  table.isa = isa;
  fill_linear_scalar(table);
  fill_rows_scalar(table);
  fill_attention_scalar(table);
  if (isa >= Isa::kAvx2) {
    fill_linear_avx2(table);
    fill_rows_avx2(table);
    fill_attention_avx2(table);
  }
  if (isa >= Isa::kAvx512) {
    fill_linear_avx512(table);
    fill_rows_avx512(table);
    fill_attention_avx512(table);
  }
  if (isa >= Isa::kVnni) fill_linear_vnni(table);
  if (isa >= Isa::kAmx) fill_linear_amx(table);
  return table;
}

}  // namespace

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::kScalar: return "scalar";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512: return "avx512";
    case Isa::kVnni: return "vnni";
    case Isa::kAmx: return "amx";
  }
  return "unknown";
}

const KernelTable* kernels_for(Isa isa) {
  static const std::array tables = {build_table(Isa::kScalar), build_table(Isa::kAvx2),
                                    build_table(Isa::kAvx512), build_table(Isa::kVnni),
                                    build_table(Isa::kAmx)};
  return cpu_has(isa) ? &tables[static_cast<size_t>(isa)] : nullptr;
}

Expected<const KernelTable*> select_kernels(std::string_view override_name) {
  const KernelTable* best = nullptr;
  std::string available;
  for (Isa isa : kLevels) {
    const KernelTable* table = kernels_for(isa);
    if (table == nullptr) continue;
    best = table;
    if (override_name == to_string(isa)) return table;
    available += available.empty() ? "" : ", ";
    available += to_string(isa);
  }
  if (override_name.empty()) return best;
  for (Isa isa : kLevels) {
    if (override_name == to_string(isa)) {
      return fail(ErrorCode::kUnsupported, "QUIRE_ISA={}: this CPU lacks it; it has {}", override_name,
                  available);
    }
  }
  return fail(ErrorCode::kInvalidArgument, "QUIRE_ISA={}: no such instruction set; this CPU has {}",
              override_name, available);
}

}  // namespace quire
