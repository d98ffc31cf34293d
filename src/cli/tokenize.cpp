#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/commands.h"
#include "cli/model_flags.h"
#include "tokenizer/tokenizer.h"
#include "weights/gguf_config.h"

namespace quire {
namespace {

struct TokenizeFlags {
  ModelFlags model;
  std::string text;
  bool has_text = false;
  bool parse_special = false;
  bool decode = false;
};

// Numbers between spaces, commas, brackets or line breaks: what `tokenize` prints, and a JSON array.
Expected<std::vector<TokenId>> read_ids(std::string_view text, int32_t vocab_size) {
  constexpr std::string_view kBetween = " ,[]\t\r\n";
  std::vector<TokenId> ids;
  for (size_t at = text.find_first_not_of(kBetween); at < text.size();
       at = text.find_first_not_of(kBetween, at)) {
    const std::string_view word =
        text.substr(at, std::min(text.find_first_of(kBetween, at), text.size()) - at);
    TokenId id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc{} || end != word.data() + word.size() || id < 0 || id >= vocab_size) {
      return fail(ErrorCode::kInvalidArgument, "'{}' is no token id: the vocabulary has 0 to {}",
                  word.substr(0, 40), vocab_size - 1);
    }
    ids.push_back(id);
    at += word.size();
  }
  return ids;
}

Expected<> tokenize(TokenizeFlags flags) {
  if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  const auto file = GgufFile::open(flags.model.engine.model);
  if (!file) return std::unexpected(file.error());
  auto spec = read_tokenizer_spec(*file);
  if (!spec) return std::unexpected(spec.error());
  const auto tokenizer = Tokenizer::create(std::move(*spec));
  if (!tokenizer) return std::unexpected(tokenizer.error());

  const std::string text =
      flags.has_text ? flags.text : std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (!flags.decode) {
    fmt::print("{}\n", fmt::join((*tokenizer)->encode(text, flags.parse_special), " "));
    return {};
  }
  const auto ids = read_ids(text, (*tokenizer)->vocab_size());
  if (!ids) return std::unexpected(ids.error());
  fmt::print("{}\n", (*tokenizer)->decode(*ids, false));
  return {};
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("tokenize", "turn text into a model's token ids, or ids into text");
  auto flags = std::make_shared<TokenizeFlags>();
  add_model_argument(*command, flags->model.engine.model, ModelArgument::kPositional);
  add_log_level(*command, flags->model.log_level);
  command
      ->add_option("--text", flags->text,
                   "the text (or ids); without it, all of what is piped in, to the last byte")
      ->type_name("TEXT")
      ->each([flags](const std::string&) { flags->has_text = true; });
  command->add_flag("--parse-special", flags->parse_special,
                    "recognize the spellings of special tokens, such as <|im_end|>");
  command->add_flag("--decode", flags->decode, "the input is token ids: print their text");
  command->footer(
      "Examples:\n  quire tokenize --text \"Hello world\"\n  printf 'Hello' | quire tokenize\n"
      "  quire tokenize --text \"28120 905\" --decode");
  command->callback([flags, &action] { action = [flags] { return tokenize(*flags); }; });
}

}  // namespace quire
