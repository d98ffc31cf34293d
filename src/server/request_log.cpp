#include "server/request_log.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "server/json/request_fields.h"

namespace quire {
namespace {

std::string line_of(const RequestRecord& record, std::string_view path) {
  std::string line = fmt::format("{} {} {} {} in {} ms", record.peer, excerpt(record.method), path,
                                 record.status, record.elapsed_ns / 1'000'000);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) line.append(", ").append(name).append(value);
  };
  add("", record.note);
  add("key ", record.key);
  add("id ", record.request_id);
  const auto add_text = [&](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    line.append(", ").append(name);
    append_json_string(line, text);
  };
  add_text("prompt ", record.text.prompt);
  add_text("completion ", record.text.completion);
  return line;
}

}  // namespace

void RequestRecord::take(const AnswerRun& run) {
  note = run.note();
  usage = run.usage();
  text = run.text();
  generation = run.trace();
}

void log_request(const RequestRecord& record) {
  // The query may have anything in it, and is not shown.
  const std::string path = excerpt(replace_invalid_utf8(record.target.substr(0, record.target.find('?'))));
  const std::string method = excerpt(record.method);
  std::vector<LogField> fields{{"peer", record.peer},
                               {"method", method},
                               {"path", path},
                               {"status", int64_t{record.status}},
                               {"duration_ms", static_cast<double>(record.elapsed_ns / 1000) / 1000}};
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fields.push_back({name, value});
  };
  add("request_id", record.request_id);
  add("key", record.key);
  add("note", record.note);
  if (record.usage) {
    fields.push_back({"prompt_tokens", record.usage->prompt_tokens});
    fields.push_back({"completion_tokens", record.usage->completion_tokens});
    fields.push_back({"cached_tokens", record.usage->cached_tokens});
  }
  add("prompt", record.text.prompt);
  add("completion", record.text.completion);
  log_event(line_of(record, path), "request", fields);
}

}  // namespace quire
