#include "cli/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace quire {
namespace {

struct ForeignFlag {
  std::string_view name;
  std::string_view instead;
  const char* of = nullptr;  // an argument that the command must take for this to be of use
};

// What users of other servers type, where the name alone suggests nothing.
constexpr ForeignFlag kForeignFlags[] = {
    {"--dtype", "a file's own types are computed with; --kv-cache-dtype says that of keys and values",
     "--kv-cache-dtype"},
    {"--gpu-memory-utilization", "--kv-cache-memory says how much memory the KV cache takes",
     "--kv-cache-memory"},
    {"--enable-auto-tool-choice", "tools may be called wherever the model's chat template has them"},
    {"--enable-chunked-prefill",
     "prompts are always computed in chunks; --max-num-batched-tokens bounds them"},
    {"--enforce-eager", "there is nothing to compile before the first request"},
    {"--trust-remote-code", "model files hold no code here"},
    {"--disable-log-requests", "--no-log-requests leaves requests out of the log", "--log-prompts"},
    {"--tensor-parallel-size", "one process computes a model here; --threads says by how many threads",
     "--threads"},
    {"-tp", "one process computes a model here; --threads says by how many threads", "--threads"},
    {"--pipeline-parallel-size", "one process computes a model here; --threads says by how many threads",
     "--threads"},
    {"-pp", "one process computes a model here; --threads says by how many threads", "--threads"},
    {"--model", "the model's file comes without a flag, behind the command", "MODEL"},
    {"-m", "the model's file comes without a flag, behind the command", "MODEL"},
    {"--tokenizer", "the model's file has the tokenizer"},
    {"--quantization", "weights are computed with as the model's file has them"},
    {"--ctx-size", "--max-model-len bounds the context of each request", "--max-model-len"},
    {"-c", "--max-model-len bounds the context of each request", "--max-model-len"},
    {"--parallel", "--max-num-seqs bounds the requests at once, which share one pool", "--max-num-seqs"},
    {"-np", "--max-num-seqs bounds the requests at once, which share one pool", "--max-num-seqs"},
    {"-t", "--threads says how many threads compute", "--threads"},
    {"--n-gpu-layers", "this build computes on the CPU"},
    {"-ngl", "this build computes on the CPU"},
    {"--enable-log-requests", "requests are in the log anyhow; --log-prompts has their texts there too",
     "--log-prompts"},
    {"--cors-allow-origins", "--allowed-origins names the sites whose pages may ask", "--allowed-origins"},
    {"--jinja", "chat templates are always in use"},
    {"--cont-batching", "requests are always batched as they come"},
};

std::string_view instead_of(std::string_view word, const CLI::App& command) {
  for (const auto& [name, instead, of] : kForeignFlags) {
    if (word == name && (of == nullptr || command.get_option_no_throw(of) != nullptr)) return instead;
  }
  return {};
}

}  // namespace

std::string suggest_name(std::string_view word, std::span<const std::string> names) {
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view nearest = nearest_name(word, candidates);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

std::string describe_unknown(const CLI::App& command, std::span<const std::string> unknown) {
  const auto flag = std::find_if(unknown.begin(), unknown.end(),
                                 [](const std::string& word) { return word.size() > 1 && word[0] == '-'; });
  std::vector<std::string> names;
  if (flag != unknown.end()) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    const std::string word = flag->substr(0, flag->find('='));
    // Who did not say no does not mean it.
    if (!word.starts_with("--no")) {
      std::erase_if(names, [](const std::string& name) { return name.starts_with("--no-"); });
    }
    if (const std::string_view instead = instead_of(word, command); !instead.empty()) {
      return fmt::format("unknown flag {}: {}", word, instead);
    }
    return fmt::format("unknown flag {}{}", word, suggest_name(word, names));
  }
  const std::string& word = unknown.front();
  for (const CLI::App* child : command.get_subcommands({})) names.push_back(child->get_name());
  if (names.empty()) return fmt::format("what is '{}'? The arguments before it were enough", word);
  return fmt::format("unknown command '{}'{}", word, suggest_name(word, names));
}

}  // namespace quire
