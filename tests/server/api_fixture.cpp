#include "tests/server/api_fixture.h"

#include <fmt/format.h>

#include <chrono>
#include <semaphore>

#include "server/routes.h"
#include "tests/server/test_client_fixture.h"

namespace quire {
namespace {

EchoModelOptions stepped(EchoModelOptions options) {
  options.start = false;
  return options;
}

// As a connection writes it.
Answer answer_of(const RequestHead& head, HttpResponse response) {
  reshape_error(head.path, {}, response);
  return {response.status, std::move(response.body)};
}

}  // namespace

Answer::Answer(int status, std::string body)
    : status_(status), body_(std::move(body)), parser_(std::make_unique<simdjson::dom::parser>()) {
  if (body_.starts_with('{')) {
    EXPECT_EQ(parser_->parse(body_).get(root_), simdjson::SUCCESS) << body_;
  }
}

std::string Answer::at(std::string_view pointer) const {
  simdjson::dom::element value;
  if (!body_.starts_with('{') || root_.at_pointer(pointer).get(value) != simdjson::SUCCESS) return "absent";
  if (value.is_string()) return std::string(value.get_string().value());
  return simdjson::minify(value);
}

ApiFixture::ApiFixture(EchoModelOptions options, ServerConfig server)
    : model(stepped(options)),
      config(std::move(server)),
      api(config, model.clock, model.metrics),
      served(model.handle, {"echo", "alias"}, model.clock,
             {.tool_calls = config.tool_call_parser, .reasoning = config.reasoning_parser}) {
  api.serve(served);
}

// Whatever a test did, the engine has forgotten it.
ApiFixture::~ApiFixture() {
  while (model.handle.engine->step()) {
  }
  model.expect_baseline();
}

Answer ApiFixture::get(std::string_view path, std::string query) const {
  return answer({.method = HttpMethod::kGet,
                 .path = std::string(path),
                 .authorization = {},
                 .content_type = {},
                 .query = std::move(query)},
                {});
}

Answer ApiFixture::call(HttpMethod method, std::string_view path, std::string_view body) const {
  return answer({method, std::string(path), {}, "application/json"}, body);
}

Answer ApiFixture::answer(const RequestHead& head, std::string_view body) const {
  if (const auto refused = api.refuse(head)) {
    return answer_of(head, error_response(*refused));
  }
  Api::Reply reply = api.handle(head, body);
  if (auto* response = std::get_if<HttpResponse>(&reply)) return answer_of(head, std::move(*response));
  auto& run = *std::get<std::unique_ptr<AnswerRun>>(reply);
  std::string out;
  std::counting_semaphore<> told(0);  // by the engine, or by what compiles grammars on a thread of its own
  run.set_notify([&] { told.release(); });
  while (run.advance(out) == AnswerRun::Progress::kMore) {
    if (model.handle.engine->step()) continue;
    EXPECT_TRUE(told.try_acquire_for(std::chrono::seconds(20)))
        << "the engine is idle, but the answer is not whole";
    if (testing::Test::HasFailure()) break;
  }
  if (run.error() && !run.stream()) return answer_of(head, error_response(*run.error()));
  return {200, out};
}

std::vector<Answer> ApiFixture::stream(std::string_view path, std::string_view body) const {
  const Answer whole = post(path, body);
  EXPECT_EQ(whole.status(), 200) << whole.body();
  std::vector<Answer> answers;
  for (auto& event : events_of(whole.body())) answers.emplace_back(200, std::move(event));
  return answers;
}

std::string usage_json(int prompt_tokens, int completion_tokens) {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                     R"("prompt_tokens_details":{{"cached_tokens":0}},)"
                     R"("completion_tokens_details":{{"reasoning_tokens":0}}}})",
                     prompt_tokens, completion_tokens, prompt_tokens + completion_tokens);
}

}  // namespace quire
