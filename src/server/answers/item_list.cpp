#include "server/answers/item_list.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "server/http/http_message.h"
#include "server/json/json_document.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

constexpr size_t kMaxPage = 100;

Expected<> read_limit(std::string_view text, ItemPage& page) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), page.limit);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (whole && page.limit >= 1 && page.limit <= kMaxPage) return {};
  return fail_param("limit", "limit must be an integer of 1 to {}, but is '{}'", kMaxPage, excerpt(text));
}

Expected<> read_order(std::string_view text, ItemPage& page) {
  page.newest_first = text == "desc";
  if (text == "desc" || text == "asc") return {};
  return fail_param("order", "order must be asc or desc, but is '{}'", excerpt(text));
}

Expected<> read_parameter(std::string_view name, std::string_view value, ItemPage& page) {
  if (name == "limit") return read_limit(value, page);
  if (name == "order") return read_order(value, page);
  if (name == "after") {
    page.after = value;
    return {};
  }
  if (name == "include" || name == "include[]") return {};  // items hold all that there is
  return fail_param(excerpt(name), "unknown parameter '{}': there are limit, after, order and include",
                    excerpt(name));
}

struct ListedItem {
  std::string_view json;
  std::string id;
};

ListedItem listed(const std::string& json) {
  const auto document = JsonDocument::parse(json);
  std::string_view id;
  if (!document || document->root().at_key("id").get_string().get(id) != simdjson::SUCCESS) id = {};
  return {json, std::string(id)};
}

void write_id(JsonWriter& json, std::string_view name, std::string_view id) {
  id.empty() ? json.null_field(name) : json.field(name, id);
}

}  // namespace

Expected<ItemPage> read_item_page(std::string_view query) {
  ItemPage page;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) {
      return fail(ErrorCode::kInvalidArgument, "the query is malformed: '{}'", excerpt(pair));
    }
    if (auto read = read_parameter(*name, *value, page); !read) return std::unexpected(read.error());
  }
  return page;
}

Expected<std::string> item_list_json(std::span<const std::string> items, const ItemPage& page) {
  std::vector<ListedItem> shown;
  for (const auto& item : items) shown.push_back(listed(item));
  if (page.newest_first) std::ranges::reverse(shown);
  if (!page.after.empty()) {
    const auto last = std::ranges::find(shown, page.after, &ListedItem::id);
    if (last == shown.end()) {
      return fail_param("after", "after must be the id of an item of this list, but is '{}'",
                        excerpt(page.after));
    }
    shown.erase(shown.begin(), last + 1);
  }
  const bool has_more = shown.size() > page.limit;
  if (has_more) shown.erase(shown.begin() + static_cast<std::ptrdiff_t>(page.limit), shown.end());
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "list");
  json.key("data");
  json.begin_array();
  for (const auto& item : shown) json.raw(item.json);
  json.end_array();
  write_id(json, "first_id", shown.empty() ? std::string_view() : shown.front().id);
  write_id(json, "last_id", shown.empty() ? std::string_view() : shown.back().id);
  json.field("has_more", has_more);
  json.end_object();
  return out;
}

}  // namespace quire
