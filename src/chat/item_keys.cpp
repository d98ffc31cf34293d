#include "chat/item_keys.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "chat/access.h"
#include "chat/comparison.h"
#include "chat/parameters.h"
#include "chat/text_editing.h"

namespace quire::jinja {
namespace {

bool is_index(std::string_view part) {
  return !part.empty() && part.size() < 10 &&
         part.find_first_not_of("0123456789") == std::string_view::npos;
}

// Bottom-up merge sort. The order may fail to compare (values of different types), which std::stable_sort
// cannot say.
class MergeSort {
 public:
  MergeSort(Rendering& rendering, std::span<const Value> keys, bool reverse)
      : rendering_(rendering), keys_(keys), reverse_(reverse), places_(keys.size()), spare_(keys.size()) {
    std::iota(places_.begin(), places_.end(), size_t{0});
  }

  Expected<std::vector<size_t>> run() {
    for (size_t width = 1; width < keys_.size(); width *= 2) {
      for (size_t begin = 0; begin < keys_.size(); begin += 2 * width) {
        const size_t middle = std::min(begin + width, keys_.size()),
                     end = std::min(middle + width, keys_.size());
        if (auto ok = merge(begin, middle, end); !ok) return pass(ok);
      }
      std::swap(places_, spare_);
    }
    return std::move(places_);
  }

 private:
  Expected<> merge(size_t begin, size_t middle, size_t end) {
    size_t left = begin, right = middle;
    for (size_t at = begin; at < end; ++at) {
      bool takes_right = left == middle;
      if (left < middle && right < end) {
        const auto order = compare(rendering_, keys_[places_[right]], keys_[places_[left]]);
        if (!order) return std::unexpected(order.error());
        takes_right = reverse_ ? *order > 0 : *order < 0;
      }
      spare_[at] = takes_right ? places_[right++] : places_[left++];
    }
    return {};
  }

  Rendering& rendering_;
  const std::span<const Value> keys_;
  const bool reverse_;
  std::vector<size_t> places_, spare_;
};

}  // namespace

AttributePath::AttributePath(const Value& path) {
  if (!path.is_string()) {
    parts_.push_back(path);
    return;
  }
  std::string_view rest = path.as_bytes();
  while (true) {
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    int64_t index = 0;
    if (is_index(part)) {
      std::from_chars(part.data(), part.data() + part.size(), index);
      parts_.push_back(Value::integer(index));
    } else {
      parts_.push_back(Value::string(std::string(part)));
    }
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
}

Expected<Value> AttributePath::of(Rendering& rendering, const Value& item) const {
  Expected<Value> value = item;
  for (const Value& part : parts_) {
    if (!rendering.spend(1)) return rendering.exhausted();
    value = item_of(rendering, *value, part);
    if (!value) break;
  }
  return value;
}

Expected<Value> key_of(Rendering& rendering, const Value& item, const KeyRule& rule) {
  const auto fold = [&](Expected<Value> key) -> Expected<Value> {
    if (!key || rule.case_sensitive || !key->is_string()) return key;
    return lower(rendering, key->as_text());
  };
  if (!is_given(rule.attribute)) return fold(item);
  if (!rule.attribute->is_string() || rule.attribute->as_bytes().find(',') == std::string::npos) {
    return fold(AttributePath(*rule.attribute).of(rendering, item));
  }
  const MarkedText comma(",");
  const auto paths = split(rendering, rule.attribute->as_text(), &comma, -1);
  if (!paths) return paths;
  std::vector<Value> keys;
  for (const Value& path : paths->items()) {
    auto key = fold(AttributePath(path).of(rendering, item));
    if (!key) return key;
    keys.push_back(*std::move(key));
  }
  return Value::array(std::move(keys));
}

Expected<std::vector<Value>> keys_of(Rendering& rendering, std::span<const Value> items,
                                     const KeyRule& rule) {
  if (!rendering.spend(items.size())) return rendering.exhausted();
  std::vector<Value> keys;
  for (const Value& item : items) {
    auto key = key_of(rendering, item, rule);
    if (!key) return pass(key);
    keys.push_back(*std::move(key));
  }
  return keys;
}

Expected<std::vector<size_t>> sorted_places(Rendering& rendering, std::span<const Value> keys,
                                            bool reverse) {
  return MergeSort(rendering, keys, reverse).run();
}

}  // namespace quire::jinja
