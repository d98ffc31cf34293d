#include "server/operations.h"

#include "server/requests/chat_request.h"
#include "server/requests/completion_request.h"
#include "server/requests/embedding_request.h"
#include "server/requests/message_request.h"
#include "server/requests/prefix_request.h"
#include "server/requests/responses_request.h"
#include "server/requests/tokenize_request.h"

namespace quire {
namespace {

constexpr auto kGet = HttpMethod::kGet;
constexpr auto kPost = HttpMethod::kPost;

template <auto rules, class Request>
void write_fields(JsonWriter& json) {
  Request request;
  write_object_schema(json, rules(request));
}

constexpr std::string_view kPageParameters =
    R"({"name":"limit","in":"query","description":"most items","schema":{"type":"integer","minimum":1,)"
    R"("maximum":100,"default":20}},)"
    R"({"name":"order","in":"query","description":"desc: newest first","schema":{"enum":["asc","desc"],)"
    R"("default":"desc"}},)"
    R"({"name":"after","in":"query","description":"the id of the item before the first one",)"
    R"("schema":{"type":"string"}})";

constexpr Operation kOperations[] = {
    {kGet, "/live", "live", "Whether the process lives", nullptr, "Status"},
    {kGet, "/ready", "ready", "Whether requests are answered: the model is loaded, and nothing drains",
     nullptr, "Status"},
    {kGet, "/health", "health", "As /ready", nullptr, "Status"},
    {kGet, "/version", "version", "The program's version", nullptr, "Version"},
    {kGet, "/metrics", "metrics", "Metrics in Prometheus' text format"},
    {kGet, "/openapi.json", "openapi", "This description", nullptr, "OpenApi"},
    {kGet, "/v1/models", "listModels", "What is served", nullptr, "ModelList"},
    {kGet, "/v1/models/{model}", "getModel", "One of them", nullptr, "Model", {}, "404"},
    {kPost, "/v1/completions", "createCompletion", "Go on with a text",
     write_fields<completion_rules, CompletionRequest>, "Completion", "CompletionChunk", "404 429"},
    {kPost, "/v1/chat/completions", "createChatCompletion", "Answer in a conversation",
     write_fields<chat_rules, ChatRequest>, "ChatCompletion", "ChatChunk", "404 429"},
    {kPost,
     "/v1/embeddings",
     "createEmbeddings",
     "Texts as vectors",
     write_fields<embedding_rules, EmbeddingRequest>,
     "Embeddings",
     {},
     "404 429"},
    {kPost, "/v1/messages", "createMessage", "Anthropic's messages",
     write_fields<message_rules, MessageRequest>, "Message", "MessageEvent", "404 429"},
    {kPost,
     "/v1/messages/count_tokens",
     "countMessageTokens",
     "The tokens of such a conversation",
     write_fields<count_tokens_rules, MessageRequest>,
     "TokenCount",
     {},
     "404"},
    {kPost, "/v1/responses", "createResponse", "OpenAI's responses",
     write_fields<responses_rules, ResponsesRequest>, "Response", "ResponseEvent", "404 429"},
    {kPost,
     "/v1/responses/input_tokens",
     "countResponseTokens",
     "The tokens of what such a response would begin with",
     write_fields<responses_rules, ResponsesRequest>,
     "InputTokens",
     {},
     "404"},
    {kGet,
     "/v1/responses/{response}",
     "getResponse",
     "One that was kept",
     nullptr,
     "Response",
     {},
     "400 404",
     R"({"name":"stream","in":"query","description":"what is kept is not streamed again",)"
     R"("schema":{"enum":["false"]}})"},
    {HttpMethod::kDelete,
     "/v1/responses/{response}",
     "deleteResponse",
     "Forget it",
     nullptr,
     "DeletedResponse",
     {},
     "404"},
    {kPost,
     "/v1/responses/{response}/cancel",
     "cancelResponse",
     "Cancel one that is made in the background",
     nullptr,
     "Response",
     {},
     "400 404 413 415"},
    {kGet,
     "/v1/responses/{response}/input_items",
     "listInputItems",
     "What was asked",
     nullptr,
     "ItemList",
     {},
     "400 404",
     kPageParameters},
    {kGet, "/v1/prefixes", "listPrefixes", "Prefixes that are pinned, oldest first", nullptr, "PrefixList"},
    {kPost,
     "/v1/prefixes",
     "pinPrefix",
     "Compute a prefix and keep it",
     write_fields<prefix_rules, PrefixRequest>,
     "Prefix",
     {},
     "404 429"},
    {kGet, "/v1/prefixes/{prefix}", "getPrefix", "One of them", nullptr, "Prefix", {}, "404"},
    {HttpMethod::kDelete,
     "/v1/prefixes/{prefix}",
     "unpinPrefix",
     "Give it up",
     nullptr,
     "DeletedPrefix",
     {},
     "404"},
    {kPost,
     "/tokenize",
     "tokenize",
     "A text or a conversation as token ids",
     write_fields<tokenize_rules, TokenizeRequest>,
     "Tokens",
     {},
     "404"},
    {kPost,
     "/detokenize",
     "detokenize",
     "Token ids as text",
     write_fields<detokenize_rules, DetokenizeRequest>,
     "Text",
     {},
     "404"},
    {kGet, "/tokenizer_info", "tokenizerInfo", "The tokenizer, as lm-eval asks for it", nullptr,
     "TokenizerInfo"},
    {kGet,
     "/v1/engine/events",
     "watchEngine",
     "Views of the engine, as long as the client reads",
     nullptr,
     {},
     "EngineView",
     "404 429"},
};

}  // namespace

std::span<const Operation> operations() { return kOperations; }

}  // namespace quire
