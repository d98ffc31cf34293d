#include "server/endpoints/prefixes.h"

#include "server/answers/prefix_response.h"
#include "server/endpoints/generate.h"
#include "server/requests/prefix_request.h"

namespace quire {
namespace {

std::string_view prefix_in(std::string_view path) {
  return path.substr(std::string_view("/v1/prefixes/").size());
}

HttpResponse prefix_not_found(std::string_view name) {
  return error_response(
      {404,
       fmt::format("no prefix '{}' is pinned; /v1/prefixes lists those that are", excerpt(name)),
       {},
       "prefix_not_found",
       0});
}

// Answers with the prefix that the generation has pinned. Such requests are never streamed.
class PrefixWriter final : public AnswerWriter {
 public:
  PrefixWriter(const ServedModel& model, TenantId tenant) : model_(model), tenant_(tenant) {}

  ApiExpected<> write_answer(std::string& out, const AnswerState& state) override {
    const auto prefix = state.generation.pinned_prefix(tenant_);
    if (!prefix) {  // by someone who listed it before this answer
      return std::unexpected(
          ApiError{404, "the prefix has been deleted already", {}, "prefix_not_found", 0});
    }
    out += prefix_json(model_, *prefix);
    return {};
  }
  void write_piece(std::string&, const AnswerState&, const ChoiceResult&) override {}
  void end_stream(std::string&, const AnswerState&) override {}
  void fail_stream(std::string&, const AnswerState&, const ApiError&) override {}

 private:
  const ServedModel& model_;
  const TenantId tenant_;
};

}  // namespace

ApiReply pin_prefix(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, read_prefix_request);
  if (!request) return error_response(request.error());
  AnswerPlan plan = {.writer = std::make_unique<PrefixWriter>(api.model(), head.tenant),
                     .id_prefix = "prefix-",
                     .prompt_only = true};
  return generate(api, head, std::move(*request), std::move(plan));
}

ApiReply list_prefixes(const ApiState& api, const RequestHead& head, std::string_view) {
  const auto pinned = api.model().engine.pinned_prefixes(head.tenant);
  return json_response(prefix_list_json(api.model(), pinned));
}

ApiReply get_prefix(const ApiState& api, const RequestHead& head, std::string_view) {
  const auto pinned = api.model().engine.pinned_prefixes(head.tenant);
  const PinnedPrefix* found = find_prefix(pinned, prefix_in(head.path));
  if (found == nullptr) return prefix_not_found(prefix_in(head.path));
  return json_response(prefix_json(api.model(), *found));
}

ApiReply unpin_prefix(const ApiState& api, const RequestHead& head, std::string_view) {
  const TenantId tenant = head.tenant;
  const auto pinned = api.model().engine.pinned_prefixes(tenant);
  const PinnedPrefix* found = find_prefix(pinned, prefix_in(head.path));
  if (found == nullptr || !api.model().engine.unpin(found->id, tenant)) {
    return prefix_not_found(prefix_in(head.path));
  }
  return deleted_response(prefix_in(head.path), "prefix");
}

}  // namespace quire
