#include "server/embedding_request.h"

namespace quire {
namespace {

Expected<> read_encoding(const JsonField& field, bool& base64) {
  const auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  if (*text != "float" && *text != "base64") {
    return fail_param("encoding_format", "encoding_format must be float or base64, but is '{}'",
                      excerpt(*text));
  }
  base64 = *text == "base64";
  return {};
}

Expected<> read_dimensions(const JsonField& field, std::optional<int64_t>& dimensions) {
  const auto value = read_integer(field);
  if (!value) return std::unexpected(value.error());
  if (*value < 1) return fail_param("dimensions", "dimensions must be at least 1, but is {}", *value);
  dimensions = *value;
  return {};
}

Expected<> read_pooling(const JsonField& field, std::optional<Pooling>& pooling) {
  const auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  pooling = parse_pooling(*text);
  if (pooling) return {};
  return fail_param("pooling", "pooling must be mean, last or cls, but is '{}'", excerpt(*text));
}

// Who asks is of no use here, but the field's type is checked.
Expected<> check_user(const JsonField& field) {
  if (const auto user = read_string(field); !user) return std::unexpected(user.error());
  return {};
}

}  // namespace

Expected<EmbeddingRequest> read_embedding_request(const JsonFields& body) {
  EmbeddingRequest request;
  const FieldRule rules[] = {
      {"model", into(request.model)},
      {"input",
       [&](const JsonField& field) { return read_prompts(field, kMaxEmbeddingInputs, request.inputs); }},
      {"encoding_format", [&](const JsonField& field) { return read_encoding(field, request.base64); }},
      {"dimensions", [&](const JsonField& field) { return read_dimensions(field, request.dimensions); }},
      {"pooling", [&](const JsonField& field) { return read_pooling(field, request.pooling); }},
      {"add_special_tokens", into(request.add_special_tokens)},
      {"user", check_user},
      cache_salt_rule(request),
  };
  if (auto read = read_fields(body, rules); !read) return std::unexpected(read.error());
  if (request.inputs.empty()) return fail_param("input", "input is required");
  return request;
}

}  // namespace quire
