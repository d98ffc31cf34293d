#include "server/response_store.h"

#include <utility>

namespace quire {
namespace {

int64_t bytes_of(const ChatMessage& message) {
  return static_cast<int64_t>(sizeof(message) + message.role.size() + message.content.size());
}

}  // namespace

int64_t StoredResponse::bytes() const {
  auto bytes = static_cast<int64_t>(sizeof(*this) + json.size());
  for (const auto& item : input_items) bytes += static_cast<int64_t>(sizeof(item) + item.size());
  for (const auto& message : conversation) bytes += bytes_of(message);
  return bytes;
}

ResponseStore::Entries::iterator* ResponseStore::find(std::string_view id, TenantId tenant) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() || (*found->second)->tenant != tenant ? nullptr : &found->second;
}

void ResponseStore::drop(Entries::iterator entry) {
  num_bytes_ -= (*entry)->bytes();
  by_id_.erase((*entry)->id);
  entries_.erase(entry);
}

void ResponseStore::put(StoredResponse response) {
  const int64_t bytes = response.bytes();
  if (bytes > max_bytes_) return;
  auto shared = std::make_shared<const StoredResponse>(std::move(response));
  const std::lock_guard lock(mutex_);
  entries_.push_front(std::move(shared));
  by_id_[entries_.front()->id] = entries_.begin();
  num_bytes_ += bytes;
  while (num_bytes_ > max_bytes_ || entries_.size() > kMaxResponses) drop(std::prev(entries_.end()));
}

std::shared_ptr<const StoredResponse> ResponseStore::get(std::string_view id, TenantId tenant) {
  const std::lock_guard lock(mutex_);
  const auto* entry = find(id, tenant);
  if (entry == nullptr) return nullptr;
  entries_.splice(entries_.begin(), entries_, *entry);
  return **entry;
}

bool ResponseStore::remove(std::string_view id, TenantId tenant) {
  const std::lock_guard lock(mutex_);
  const auto* entry = find(id, tenant);
  if (entry == nullptr) return false;
  drop(*entry);
  return true;
}

}  // namespace quire
