#include "server/answers/response_store.h"

#include <optional>
#include <utility>

namespace quire {
namespace {

// A value that was read from JSON has at most one part for every two of its bytes ("0,").
constexpr int64_t kValueBytesPerByte = (sizeof(Value) + 1) / 2;

int64_t bytes_of(const MessageToolCall& call) {
  return static_cast<int64_t>(sizeof(call) + call.id.size() + call.name.size() +
                              call.arguments_json.size()) +
         kValueBytesPerByte * static_cast<int64_t>(call.arguments_json.size());
}

int64_t bytes_of(const std::optional<std::string>& text) {
  return text ? static_cast<int64_t>(text->size()) : 0;
}

int64_t bytes_of(const ChatMessage& message) {
  auto bytes = static_cast<int64_t>(sizeof(message) + message.role.size() + message.content.size());
  bytes += bytes_of(message.name) + bytes_of(message.tool_call_id) + bytes_of(message.reasoning_content);
  for (const auto& call : message.tool_calls) bytes += bytes_of(call);
  return bytes;
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
