#include "engine/engine_mailbox.h"

#include <span>
#include <utility>

namespace quire {

Expected<> EngineMailbox::submit(AddRequests requests, int64_t created) {
  std::lock_guard lock(claims_mutex_);
  for (size_t i = 0; i < requests.size(); ++i) {
    const AddRequest& request = requests[i];
    const BlockClaim claim{.id = request.id,
                           .tenant = request.tenant,
                           .cache_salt = request.cache_salt,
                           .prompt = request.prompt,
                           .params = request.params.get()};
    auto entered = request.pins ? claims_.enter_to_pin(claim, created) : claims_.enter(claim);
    if (entered) continue;
    for (const AddRequest& before : std::span(requests).first(i)) claims_.leave(before.id);
    return entered;
  }
  send(std::move(requests));
  return {};
}

bool EngineMailbox::unpin(RequestId id, TenantId tenant) {
  std::lock_guard lock(claims_mutex_);
  if (!claims_.unpin(id, tenant)) return false;
  send(UnpinPrefix{id});
  return true;
}

}  // namespace quire
