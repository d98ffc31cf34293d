// Lists of items, a page at a time: GET /v1/responses/{id}/input_items.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

// Which of the items, and in which order.
struct ItemPage {
  size_t limit = 20;         // 1 to 100
  std::string after;         // the id of the item before the first one; empty: from the start
  bool newest_first = true;  // OpenAI's default
};

// `query` is that of the request's target, without its question mark. Errors name the parameter.
Expected<ItemPage> read_item_page(std::string_view query);

// {"object": "list", "data", "first_id", "last_id", "has_more"}. `items` are JSON of objects with ids, the
// oldest first. An error if page.after is none of theirs.
Expected<std::string> item_list_json(std::span<const std::string> items, const ItemPage& page);

}  // namespace quire
