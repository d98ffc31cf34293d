#include "server/answers/prefix_response.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/json/json_writer.h"

namespace quire {
namespace {

void write_prefix(JsonWriter& json, const ServedModel& model, const PinnedPrefix& prefix) {
  json.begin_object();
  json.field("id", prefix_name(prefix));
  json.field("object", "prefix");
  json.field("created", prefix.created);
  json.field("model", model.names.front());
  json.field("tokens", prefix.num_tokens);
  json.field("blocks", prefix.num_blocks);
  json.field("cached_tokens", prefix.num_cached_tokens);
  json.end_object();
}

}  // namespace

std::string prefix_name(const PinnedPrefix& prefix) {
  return fmt::format("prefix-{:x}-{:x}", prefix.created, prefix.id);
}

const PinnedPrefix* find_prefix(std::span<const PinnedPrefix> prefixes, std::string_view name) {
  const auto found = std::ranges::find(prefixes, name, prefix_name);
  return found == prefixes.end() ? nullptr : &*found;
}

std::string prefix_json(const ServedModel& model, const PinnedPrefix& prefix) {
  std::string out;
  JsonWriter json(out);
  write_prefix(json, model, prefix);
  return out;
}

std::string prefix_list_json(const ServedModel& model, std::span<const PinnedPrefix> prefixes) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "list");
  json.key("data");
  json.begin_array();
  for (const auto& prefix : prefixes) write_prefix(json, model, prefix);
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace quire
