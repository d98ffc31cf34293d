#include "server/request_log.h"

#include <string>

#include "base/log.h"
#include "base/text.h"
#include "server/request_fields.h"

namespace quire {

void log_request(const RequestRecord& record) {
  // The query may have anything in it, and is not shown.
  const std::string path = replace_invalid_utf8(record.target.substr(0, record.target.find('?')));
  LOG(info, "{} {} {} {} in {} ms{}{}{}{}", record.peer, excerpt(record.method), excerpt(path),
      record.status, record.elapsed_ns / 1'000'000, record.note.empty() ? "" : ", ", record.note,
      record.request_id.empty() ? "" : ", id ", record.request_id);
}

}  // namespace quire
