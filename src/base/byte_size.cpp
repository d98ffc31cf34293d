#include "base/byte_size.h"

#include <array>
#include <charconv>
#include <cmath>

namespace quire {
namespace {

struct Unit {
  std::string_view name;
  int shift;
};
// clang-format off
constexpr std::array<Unit, 15> kUnits{{
    {"", 0}, {"B", 0}, {"b", 0},
    {"KiB", 10}, {"kib", 10}, {"K", 10},
    {"MiB", 20}, {"mib", 20}, {"M", 20},
    {"GiB", 30}, {"gib", 30}, {"G", 30},
    {"TiB", 40}, {"tib", 40}, {"T", 40},
}};
// clang-format on

}  // namespace

Expected<int64_t> parse_byte_size(std::string_view text) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(rest, text.data() + text.size());
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& known : kUnits) {
    if (error != std::errc{} || known.name != unit) continue;
    const double bytes = std::ldexp(number, known.shift);
    if (!(bytes >= 0) || bytes >= 0x1.0p62 || (known.shift == 0 && bytes != std::floor(bytes))) break;
    return static_cast<int64_t>(bytes);
  }
  return fail(ErrorCode::kInvalidArgument,
              "'{}' is not a size: write a number of bytes, or one with KiB, MiB or GiB", text);
}

std::string format_byte_size(int64_t bytes) {
  static constexpr std::array<std::string_view, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < kNames.size()) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace quire
