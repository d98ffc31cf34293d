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
};

// What users of other servers type, where the name alone suggests nothing.
constexpr ForeignFlag kForeignFlags[] = {
    {"--dtype", "a file's own types are computed with; --kv-cache-dtype says that of keys and values"},
    {"--gpu-memory-utilization", "--kv-cache-memory says how much memory the KV cache takes"},
    {"--enable-auto-tool-choice", "tools may be called wherever the model's chat template has them"},
    {"--enable-chunked-prefill",
     "prompts are always computed in chunks; --max-num-batched-tokens bounds them"},
    {"--enforce-eager", "there is nothing to compile before the first request"},
    {"--trust-remote-code", "model files hold no code here"},
    {"--disable-log-requests", "--no-log-requests leaves requests out of the log"},
    {"--tensor-parallel-size", "one process computes a model here; --threads says by how many threads"},
    {"-tp", "one process computes a model here; --threads says by how many threads"},
    {"--pipeline-parallel-size", "one process computes a model here; --threads says by how many threads"},
    {"-pp", "one process computes a model here; --threads says by how many threads"},
    {"--model", "the model's file comes without a flag, behind the command"},
    {"-m", "the model's file comes without a flag, behind the command"},
    {"--tokenizer", "the model's file has the tokenizer"},
    {"--quantization", "weights are computed with as the model's file has them"},
    {"--ctx-size", "--max-model-len bounds the context of each request"},
    {"-c", "--max-model-len bounds the context of each request"},
    {"--parallel", "--max-num-seqs bounds the requests at once, which share one pool"},
    {"-np", "--max-num-seqs bounds the requests at once, which share one pool"},
    {"-t", "--threads says how many threads compute"},
    {"--n-gpu-layers", "this build computes on the CPU"},
    {"-ngl", "this build computes on the CPU"},
    {"--enable-log-requests", "requests are in the log anyhow; --log-prompts has their texts there too"},
    {"--cors-allow-origins", "--allowed-origins names the sites whose pages may ask"},
    {"--jinja", "chat templates are always in use"},
    {"--cont-batching", "requests are always batched as they come"},
};

std::string_view instead_of(std::string_view word) {
  for (const auto& [name, instead] : kForeignFlags) {
    if (word == name) return instead;
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
    if (const std::string_view instead = instead_of(word); !instead.empty()) {
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
