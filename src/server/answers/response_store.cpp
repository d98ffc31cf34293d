#include "server/answers/response_store.h"

#include <algorithm>
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
  const auto share = shares_.find((*entry)->tenant);
  const int64_t bytes = (*entry)->bytes();
  num_bytes_ -= bytes;
  share->second.num_bytes -= bytes;
  by_id_.erase((*entry)->id);
  share->second.entries.erase(entry);
  if (share->second.entries.empty()) shares_.erase(share);
}

void ResponseStore::make_room() {
  while (num_bytes_ > max_bytes_ || by_id_.size() > kMaxResponses) {
    const bool by_bytes = num_bytes_ > max_bytes_;
    const auto most = std::ranges::max_element(shares_, {}, [by_bytes](const auto& share) {
      return by_bytes ? share.second.num_bytes : std::ssize(share.second.entries);
    });
    drop(std::prev(most->second.entries.end()));
  }
}

bool ResponseStore::put(StoredResponse response) {
  const int64_t bytes = response.bytes();
  if (bytes > max_bytes_) return false;
  const auto shared = std::make_shared<const StoredResponse>(std::move(response));
  const std::lock_guard lock(mutex_);
  if (const auto* former = find(shared->id, shared->tenant)) drop(*former);
  Share& share = shares_[shared->tenant];
  share.entries.push_front(shared);
  by_id_[share.entries.front()->id] = share.entries.begin();
  share.num_bytes += bytes;
  num_bytes_ += bytes;
  make_room();  // which may take just this one
  return by_id_.contains(shared->id);
}

std::shared_ptr<const StoredResponse> ResponseStore::get(std::string_view id, TenantId tenant) {
  const std::lock_guard lock(mutex_);
  const auto* entry = find(id, tenant);
  if (entry == nullptr) return nullptr;
  Entries& entries = shares_[tenant].entries;
  entries.splice(entries.begin(), entries, *entry);
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
