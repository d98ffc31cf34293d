// Answers of /v1/responses that later requests may go on from or ask for again, by id. Bounded in number and
// bytes: those that nobody has used for longest go first. Each belongs to the tenant that asked. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/types.h"
#include "server/requests/chat_request.h"

namespace quire {

struct StoredResponse {
  std::string id;
  TenantId tenant = 0;
  std::string json;                       // as it was answered
  std::vector<std::string> input_items;   // of its request alone; JSON
  std::vector<ChatMessage> conversation;  // what went before, without instructions, and the answer

  int64_t bytes() const;
};

class ResponseStore {
 public:
  static constexpr size_t kMaxResponses = 16'384;

  explicit ResponseStore(int64_t max_bytes) : max_bytes_(max_bytes) {}

  bool on() const { return max_bytes_ > 0; }

  // One that is larger than all the room is not kept.
  void put(StoredResponse response);
  // Null if there is none of this tenant.
  std::shared_ptr<const StoredResponse> get(std::string_view id, TenantId tenant);
  bool remove(std::string_view id, TenantId tenant);

 private:
  using Entries = std::list<std::shared_ptr<const StoredResponse>>;  // last used first
  Entries::iterator* find(std::string_view id, TenantId tenant);
  void drop(Entries::iterator entry);

  const int64_t max_bytes_;
  std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_id_;  // names are the entries'
  int64_t num_bytes_ = 0;
};

}  // namespace quire
