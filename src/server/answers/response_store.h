// Answers of /v1/responses that later requests may go on from or ask for again, by id. Each belongs to the
// tenant that asked. Bounded in number and bytes: where there are too many, the tenant that holds most loses
// those that it has not used for longest. Those that are still being made stay, do not count for that, and
// have half of the room at most. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
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
  std::string json;                       // as it was answered, or as it is now
  bool background = false;                // it was made without a connection that waits
  bool finished = true;                   // its conversation has the answer
  bool running = false;                   // it is being made, and not forgotten meanwhile
  std::vector<std::string> input_items;   // of its request alone; JSON
  std::vector<ChatMessage> conversation;  // what went before, without instructions, and the answer

  int64_t bytes() const;
};

class ResponseStore {
 public:
  static constexpr size_t kMaxResponses = 16'384;

  explicit ResponseStore(int64_t max_bytes) : max_bytes_(max_bytes) {}

  bool on() const { return max_bytes_ > 0; }
  int64_t max_bytes_running() const { return max_bytes_ / 2; }

  // In place of one of that id. False if it is larger than the room for its kind, and so not kept.
  bool put(StoredResponse response);
  // Null if there is none of this tenant.
  std::shared_ptr<const StoredResponse> get(std::string_view id, TenantId tenant);
  bool remove(std::string_view id, TenantId tenant);

 private:
  using Entries = std::list<std::shared_ptr<const StoredResponse>>;  // last used first
  // What a tenant holds: at least one.
  struct Share {
    Entries entries;
    int64_t num_bytes = 0, num_bytes_running = 0;
    int64_t num_running = 0;
    // What others may take the place of.
    int64_t num_ended() const { return std::ssize(entries) - num_running; }
    int64_t num_bytes_ended() const { return num_bytes - num_bytes_running; }
  };
  Entries::iterator* find(std::string_view id, TenantId tenant);
  // Of one that comes (sign 1) or goes (-1).
  void count(Share& share, const StoredResponse& response, int64_t sign);
  void drop(Entries::iterator entry);
  void make_room();

  const int64_t max_bytes_;
  std::mutex mutex_;
  std::map<TenantId, Share> shares_;
  std::unordered_map<std::string_view, Entries::iterator> by_id_;  // names are the entries'
  int64_t num_bytes_ = 0;
  int64_t num_running_ = 0, num_bytes_running_ = 0;
};

}  // namespace quire
