// The API without sockets: the engine is stepped by hand until an answer is whole.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/api.h"
#include "tests/server/echo_model_fixture.h"

namespace quire {

// A parsed answer.
class Answer {
 public:
  Answer(int status, std::string body);

  int status() const { return status_; }
  const std::string& body() const { return body_; }
  // The value at a JSON pointer, e.g. "/choices/0/text"; the text of a string, the JSON of anything else,
  // "absent" if there is none.
  std::string at(std::string_view pointer) const;

 private:
  int status_;
  std::string body_;
  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::element root_;
};

class ApiFixture : public testing::Test {
 protected:
  explicit ApiFixture(EchoModelOptions options = {}, ServerConfig config = {});
  ~ApiFixture() override;

  Answer get(std::string_view path, std::string query = {}) const;
  Answer post(std::string_view path, std::string_view body) const {
    return call(HttpMethod::kPost, path, body);
  }
  Answer call(HttpMethod method, std::string_view path, std::string_view body) const;
  Answer answer(const RequestHead& head, std::string_view body) const;
  // The events of a streamed answer, each parsed but the last, which is [DONE].
  std::vector<Answer> stream(std::string_view path, std::string_view body) const;

  EchoModel model;
  ServerConfig config;
  Api api;
  ServedModel served;
};

// The member `usage` of an answer to a prompt of which nothing was cached.
std::string usage_json(int prompt_tokens, int completion_tokens);

}  // namespace quire
