#include "cli/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace quire {

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
    return fmt::format("unknown flag {}{}", word, suggest_name(word, names));
  }
  const std::string& word = unknown.front();
  for (const CLI::App* child : command.get_subcommands({})) names.push_back(child->get_name());
  if (names.empty()) return fmt::format("what is '{}'? The arguments before it were enough", word);
  return fmt::format("unknown command '{}'{}", word, suggest_name(word, names));
}

}  // namespace quire
