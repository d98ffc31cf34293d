#include "server/prefix_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "server/generation/prompt.h"
#include "server/json/json_document.h"
#include "server/requests/prefix_request.h"

namespace quire {
namespace {

constexpr uintmax_t kMaxPrefixFileBytes = 256 << 20;

Expected<PrefixRequest> read_line(const ServedModel& model, std::string_view line, TenantId num_keys) {
  const auto document = JsonDocument::parse(line);
  if (!document) return std::unexpected(document.error());
  auto request = read_prefix_line({document->root()});
  if (!request) return request;
  if (!request->model.empty() && !model.has_name(request->model)) {
    return fail_param("model", "the model '{}' is not served here", excerpt(request->model));
  }
  if (request->key && *request->key > num_keys) {
    return fail_param("key", "key is {}, but the server has {} API keys", *request->key, num_keys);
  }
  return request;
}

Expected<> pin_now(const ServedModel& model, const PreparedPrompt& prompt, const PrefixRequest& request) {
  std::vector<EngineRequest> requests(1);
  requests[0] = {.prompt = prompt.tokens,
                 .params = std::make_shared<const SamplingParams>(prompt.sampling),
                 .tenant = request.tenant,
                 .cache_salt = request.cache_salt,
                 .pins = true};
  const auto streams = model.engine.submit(std::move(requests));
  if (!streams) return std::unexpected(streams.error());
  RequestStream& stream = *streams->front();
  std::vector<TokenDelta> deltas;
  while (stream.wait(deltas)) {
  }
  const auto pinned = model.engine.pinned_prefixes(request.tenant);
  const auto found = std::ranges::find(pinned, stream.id(), &PinnedPrefix::id);
  if (found == pinned.end()) return fail(ErrorCode::kInternal, "the engine could not compute the prefix");
  LOG(info, "pinned a prefix of {} tokens in {} blocks; {} tokens were cached", found->num_tokens,
      found->num_blocks, found->num_cached_tokens);
  return {};
}

Expected<> pin_line(const ServedModel& model, std::string_view line, TenantId num_keys) {
  auto request = read_line(model, line, num_keys);
  if (!request) return std::unexpected(request.error());
  const TenantId first = num_keys == 0 ? 0 : request->key.value_or(1);
  const TenantId last = request->key.value_or(num_keys);
  const auto prompts = prepare(model, *request);
  if (!prompts) return std::unexpected(prompts.error());
  for (request->tenant = first; request->tenant <= last; ++request->tenant) {
    if (auto pinned = pin_now(model, prompts->front(), *request); !pinned) return pinned;
  }
  return {};
}

}  // namespace

Expected<> pin_prefix_file(const ServedModel& model, const std::string& path, TenantId num_keys) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  std::ifstream file(path);
  if (error || !file)
    return fail_param("prefix_file", "the prefix file '{}' cannot be read: is the path right?", path);
  if (bytes > kMaxPrefixFileBytes) {
    return fail_param("prefix_file", "the prefix file '{}' has {} bytes, more than {}", path, bytes,
                      kMaxPrefixFileBytes);
  }
  int64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto pinned = pin_line(model, line, num_keys);
    if (pinned) continue;
    const std::string& field = pinned.error().param;
    return fail_param("prefix_file", "line {} of the prefix file '{}'{}: {}", number, path,
                      field.empty() ? "" : fmt::format(", field '{}'", field), pinned.error().message);
  }
  if (file.bad()) return fail_param("prefix_file", "the prefix file '{}' cannot be read to its end", path);
  return {};
}

}  // namespace quire
