// What is fuzzed: functions that take any bytes, as clients and files bring them, and CHECK what must hold
// whatever they are. fuzz_test.cpp runs them for a moment on every build; libFuzzer for as long as one likes
// (script/fuzz).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

struct FuzzTarget {
  std::string_view name;
  void (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();
};

std::span<const FuzzTarget> fuzz_targets();

void fuzz_output_parser(std::string_view input);
std::vector<std::string> output_parser_seeds();
void fuzz_request_bodies(std::string_view input);
std::vector<std::string> request_body_seeds();
void fuzz_http_reader(std::string_view input);
std::vector<std::string> http_reader_seeds();
void fuzz_chat_template(std::string_view input);
std::vector<std::string> chat_template_seeds();
void fuzz_grammar(std::string_view input);
std::vector<std::string> grammar_seeds();
void fuzz_gguf(std::string_view input);
std::vector<std::string> gguf_seeds();

}  // namespace quire
