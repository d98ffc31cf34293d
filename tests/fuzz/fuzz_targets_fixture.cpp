#include "tests/fuzz/fuzz_targets.h"

#include <array>

namespace quire {

std::span<const FuzzTarget> fuzz_targets() {
  static constexpr std::array<FuzzTarget, 6> kTargets{{
      {"output_parser", fuzz_output_parser, output_parser_seeds},
      {"request_bodies", fuzz_request_bodies, request_body_seeds},
      {"http_reader", fuzz_http_reader, http_reader_seeds},
      {"chat_template", fuzz_chat_template, chat_template_seeds},
      {"grammar", fuzz_grammar, grammar_seeds},
      {"gguf", fuzz_gguf, gguf_seeds},
  }};
  return kTargets;
}

}  // namespace quire
