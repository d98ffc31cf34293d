#include "server/requests/embedding_request.h"

namespace quire {
namespace {

constexpr std::string_view kInputSchema =
    R"({"anyOf":[{"type":"string"},)"
    R"({"type":"array","minItems":1,"maxItems":2048,"items":{"type":"string"}},)"
    R"({"type":"array","minItems":1,"items":{"type":"integer","minimum":0,"maximum":2147483647}},)"
    R"({"type":"array","minItems":1,"maxItems":2048,"items":{"type":"array","minItems":1,)"
    R"("items":{"type":"integer","minimum":0,"maximum":2147483647}}}]})";

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

Expected<> read_pooling(const JsonField& field, std::optional<Pooling>& pooling) {
  const auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  pooling = parse_pooling(*text);
  if (pooling) return {};
  return fail_param("pooling", "pooling must be mean, last or cls, but is '{}'", excerpt(*text));
}

}  // namespace

std::vector<FieldRule> embedding_rules(EmbeddingRequest& request) {
  return {model_rule(request.model),
          {"input",
           {{.json = kInputSchema},
            [&request](const JsonField& field) {
              return read_prompts(field, kMaxEmbeddingInputs, request.inputs);
            }},
           "a text or token ids, or several of either",
           true},
          {"encoding_format",
           {{.type = "string", .choices = "float|base64"},
            [&request](const JsonField& field) { return read_encoding(field, request.base64); }},
           "of the values; base64 is of little-endian fp32"},
          {"dimensions", into(request.dimensions, 1, std::numeric_limits<int32_t>::max()),
           "only the first so many, to length 1 again"},
          {"pooling",
           {{.type = "string", .choices = "mean|last|cls"},
            [&request](const JsonField& field) { return read_pooling(field, request.pooling); }},
           "of the tokens' hidden states; by default the server's"},
          {"add_special_tokens", into(request.add_special_tokens),
           "whether texts get the model's BOS, if it wants one"},
          truncation_rule(request, "keep only so many of an input's first tokens; -1: as many as fit"),
          {"user", no_effect({.type = "string"}), "of no effect: API keys say who asks"},
          cache_salt_rule(request)};
}

Expected<EmbeddingRequest> read_embedding_request(const JsonFields& body) {
  EmbeddingRequest request;
  if (auto read = read_fields(body, embedding_rules(request)); !read) return std::unexpected(read.error());
  return request;
}

}  // namespace quire
