#include "server/batch/batch_line.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "server/json/json_document.h"
#include "server/json/json_writer.h"
#include "server/json/request_fields.h"

namespace quire {
namespace {

constexpr std::array<std::string_view, 5> kUrls = {"/v1/chat/completions", "/v1/completions",
                                                   "/v1/embeddings", "/v1/responses", "/v1/messages"};

Expected<> read_custom_id(JsonValue value, std::string& custom_id) {
  auto text = read_string({"custom_id", value});
  if (!text) return std::unexpected(text.error());
  if (text->empty() || text->size() > kMaxCustomIdBytes) {
    return fail_param("custom_id", "custom_id must be 1 to {} bytes, but has {}", kMaxCustomIdBytes,
                      text->size());
  }
  custom_id = std::move(*text);
  return {};
}

Expected<> read_method(JsonValue value) {
  const auto method = read_string({"method", value});
  if (!method) return std::unexpected(method.error());
  if (*method == "POST") return {};
  return fail_param("method", "method must be POST, but is '{}'", excerpt(*method));
}

Expected<> read_url(JsonValue value, std::string& url) {
  auto text = read_string({"url", value});
  if (!text) return std::unexpected(text.error());
  if (std::ranges::find(kUrls, *text) == kUrls.end()) {
    return fail_param("url", "url must be one of {}, but is '{}'", fmt::join(kUrls, ", "), excerpt(*text));
  }
  url = std::move(*text);
  return {};
}

Expected<> read_request_body(JsonValue value, std::string& body) {
  if (auto object = read_object({"body", value}); !object) return std::unexpected(object.error());
  body = simdjson::minify(value);
  return {};
}

Expected<> read_member(std::string_view name, JsonValue value, BatchRequest& request) {
  if (name == "custom_id") return read_custom_id(value, request.custom_id);
  if (name == "method") return read_method(value);
  if (name == "url") return read_url(value, request.url);
  if (name == "body") return read_request_body(value, request.body);
  return fail_param(excerpt(name), "unknown field '{}': a line has custom_id, method, url and body",
                    excerpt(name));
}

Expected<> read_members(JsonObject line, BatchRequest& request) {
  for (const auto member : line) {
    if (auto read = read_member(member.key, member.value, request); !read) return read;
  }
  if (request.custom_id.empty()) return fail_param("custom_id", "custom_id is required");
  if (request.url.empty()) return fail_param("url", "url is required");
  if (request.body.empty()) return fail_param("body", "body is required");
  return {};
}

// Of every output line.
constexpr std::string_view kAnswerStart = R"({"id":"batch_req_)";

void begin_line(JsonWriter& json, std::string_view id, std::string_view custom_id) {
  json.begin_object();
  json.field("id", id);
  if (custom_id.empty()) {
    json.null_field("custom_id");
  } else {
    json.field("custom_id", custom_id);
  }
}

}  // namespace

BatchRequest read_batch_line(std::string_view line) {
  BatchRequest request;
  const auto document = JsonDocument::parse(line);
  if (!document) {
    request.error = document.error();
    return request;
  }
  if (auto read = read_members(document->root(), request); !read) {
    request.error = read.error();
    // So that the answer can name it, whatever stands before it in the line.
    std::string_view id;
    if (request.custom_id.empty() &&
        document->root()["custom_id"].get_string().get(id) == simdjson::SUCCESS &&
        id.size() <= kMaxCustomIdBytes) {
      request.custom_id = id;
    }
  }
  return request;
}

BatchKey batch_key(std::string_view custom_id, int64_t line_number) {
  const std::string text =
      custom_id.empty() ? fmt::format("line {}", line_number) : fmt::format("id {}", custom_id);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  BatchKey key;
  std::memcpy(key.digest.data(), digest.data(), sizeof(key.digest));
  return key;
}

Expected<BatchKey> read_answer_key(std::string_view line) {
  const auto document = JsonDocument::parse(line);
  if (!document) return std::unexpected(document.error());
  const JsonObject root = document->root();
  std::string_view id;
  if (root["custom_id"].get_string().get(id) == simdjson::SUCCESS && !id.empty()) return batch_key(id, 0);
  int64_t number = 0;
  if (root.at_pointer("/error/line").get_int64().get(number) == simdjson::SUCCESS)
    return batch_key({}, number);
  return fail(ErrorCode::kCorrupt, "it has no custom_id");
}

bool may_be_torn_answer(std::string_view text) {
  return text.starts_with(kAnswerStart) || kAnswerStart.starts_with(text);
}

std::string answer_line(std::string_view id, std::string_view custom_id, int status,
                        std::string_view body) {
  std::string out;
  JsonWriter json(out);
  begin_line(json, fmt::format("batch_req_{}", id), custom_id);
  json.key("response");
  json.begin_object();
  json.field("status_code", status);
  json.field("request_id", fmt::format("req_{}", id));
  json.key("body");
  json.raw(body);
  json.end_object();
  json.null_field("error");
  json.end_object();
  return out + '\n';
}

std::string failure_line(std::string_view id, std::string_view custom_id, int64_t line_number,
                         const Error& error) {
  std::string out;
  JsonWriter json(out);
  begin_line(json, fmt::format("batch_req_{}", id), custom_id);
  json.null_field("response");
  json.key("error");
  json.begin_object();
  json.field("code", "invalid_line");
  json.field("message", fmt::format("line {}: {}", line_number, error.message));
  if (error.param.empty()) {
    json.null_field("param");
  } else {
    json.field("param", error.param);
  }
  json.field("line", line_number);
  json.end_object();
  json.end_object();
  return out + '\n';
}

}  // namespace quire
