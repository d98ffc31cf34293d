#include "server/answers/response_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

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

constexpr int64_t kStatusBytes = 4096;  // by which all that run may have longer words for what they do

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

void ResponseStore::count(Share& share, const StoredResponse& response, int64_t sign) {
  const int64_t bytes = sign * response.bytes();
  num_bytes_ += bytes;
  share.num_bytes += bytes;
  if (!response.running) return;
  num_bytes_running_ += bytes;
  share.num_bytes_running += bytes;
  num_running_ += sign;
  share.num_running += sign;
}

void ResponseStore::drop(Entries::iterator entry) {
  const auto share = shares_.find((*entry)->tenant);
  count(share->second, **entry, -1);
  by_id_.erase((*entry)->id);
  share->second.entries.erase(entry);
  if (share->second.entries.empty()) shares_.erase(share);
}

void ResponseStore::make_room() {
  while (num_bytes_ > max_bytes_ || by_id_.size() > kMaxResponses) {
    const bool by_bytes = num_bytes_ > max_bytes_;
    const auto most = std::ranges::max_element(shares_, {}, [by_bytes](const auto& share) {
      return by_bytes ? share.second.num_bytes_ended() : share.second.num_ended();
    });
    CHECK(most->second.num_ended() > 0);  // those that run leave half of the room
    auto last = std::prev(most->second.entries.end());
    while ((*last)->running) --last;
    drop(last);
  }
}

bool ResponseStore::put(StoredResponse response) {
  const int64_t bytes = response.bytes();
  if (bytes > max_bytes_) return false;
  const bool running = response.running;
  const auto shared = std::make_shared<const StoredResponse>(std::move(response));
  const std::lock_guard lock(mutex_);
  const auto* former = find(shared->id, shared->tenant);
  if (running) {
    const bool replaces = former != nullptr && (**former)->running;
    const int64_t replaced = replaces ? (**former)->bytes() : 0;
    // What has its place may have another status there.
    const int64_t most = max_bytes_running() + (replaces ? std::min(kStatusBytes, max_bytes_ / 4) : 0);
    if (num_bytes_running_ - replaced + bytes > most) return false;
    if (!replaces && num_running_ >= static_cast<int64_t>(kMaxResponses / 2)) return false;
  }
  if (former != nullptr) drop(*former);
  Share& share = shares_[shared->tenant];
  share.entries.push_front(shared);
  by_id_[share.entries.front()->id] = share.entries.begin();
  count(share, *shared, 1);
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
