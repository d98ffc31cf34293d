// The mechanical part of the style rules. Each rule returns what breaks it, one line a finding: "path:line:
// why".
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "tests/layout/source_tree.h"

namespace quire {

using Findings = std::vector<std::string>;

inline std::string place(const SourceFile& file, size_t line) {
  return file.path + ":" + std::to_string(line + 1) + ": ";
}

// Calls check(file, line number from 0, line) for every line of C++ whose path begins with `folder`.
inline void for_each_line(const SourceTree& tree, std::string_view folder,
                          const std::function<void(const SourceFile&, size_t, const std::string&)>& check) {
  for (const auto& [path, file] : tree) {
    if (!path.starts_with(folder) || !file.is_source()) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) check(file, i, file.lines[i]);
  }
}

// The first word after '#', or empty.
inline std::string directive(const std::string& line) {
  const size_t hash = line.find_first_not_of(' ');
  if (hash == std::string::npos || line[hash] != '#') return "";
  std::istringstream words(line.substr(hash + 1));
  std::string word;
  words >> word;
  return word;
}

// A row may name only rows above it, so that the table has no cycle.
inline Findings check_table(const RoomTable& table) {
  Findings findings;
  std::set<std::string> above;
  for (const std::string& room : table.order) {
    for (const std::string& used : table.allowed.at(room)) {
      if (used != room && !above.contains(used))
        findings.push_back("rooms.txt: " + room + " names " + used + ", which is not above it");
    }
    if (!above.insert(room).second) findings.push_back("rooms.txt: " + room + " comes twice");
  }
  return findings;
}

inline Findings check_rooms(const SourceTree& tree, const RoomTable& table) {
  Findings findings;
  for (const auto& [path, file] : tree) {
    if (!path.starts_with("src/") || path == "src/rooms.txt") continue;
    const auto row = table.allowed.find(file.room());
    if (row == table.allowed.end()) {
      findings.push_back(path + ": lies in no room of rooms.txt");
      continue;
    }
    for (const Include& include : file.includes()) {
      if (!include.quoted) continue;
      const std::string room = include.path.substr(0, include.path.find('/'));
      if (!tree.contains("src/" + include.path))
        findings.push_back(path + ": includes \"" + include.path + "\", which is not in src");
      if (!row->second.contains(room))
        findings.push_back(path + ": " + file.room() + " may not include " + room + " (\"" + include.path +
                           "\")");
    }
  }
  return findings;
}

// Folders that have a row of their own include of their room's other folders only what it names;
// what lies in the room itself is everybody's.
inline Findings check_folders(const SourceTree& tree, const RoomTable& table) {
  Findings findings;
  for (const auto& [path, file] : tree) {
    const auto row = table.allowed.find(file.folder());
    if (row == table.allowed.end() || file.folder() == file.room()) continue;
    for (const Include& include : file.includes()) {
      const auto target = tree.find("src/" + include.path);
      if (!include.quoted || target == tree.end() || target->second.room() != file.room()) continue;
      const std::string folder = target->second.folder();
      if (folder != file.room() && !row->second.contains(folder))
        findings.push_back(path + ": " + file.folder() + " may not include " + folder + " (\"" +
                           include.path + "\")");
    }
  }
  return findings;
}

// No header may reach itself.
inline Findings check_include_cycles(const SourceTree& tree) {
  Findings findings;
  std::map<std::string, int> state;  // 1: being visited, 2: done
  const std::function<void(const SourceFile&)> visit = [&](const SourceFile& file) {
    state[file.path] = 1;
    for (const Include& include : file.includes()) {
      const auto target = tree.find("src/" + include.path);
      if (!include.quoted || target == tree.end()) continue;
      if (state[target->first] == 1)
        findings.push_back(file.path + ": includes " + include.path + ", which includes it");
      if (state[target->first] == 0) visit(target->second);
    }
    state[file.path] = 2;
  };
  for (const auto& [path, file] : tree) {
    if (state[path] == 0) visit(file);
  }
  return findings;
}

// Fewer lines than this; 0: as many as it likes. The page is served as it lies.
inline size_t line_limit(const std::string& path, const SourceFile& file) {
  if (path.starts_with("src/server/page/")) return 300;
  if (!file.is_source()) return 0;
  return path.starts_with("src/") ? 500 : 800;
}

inline Findings check_sizes(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree) {
    const size_t limit = line_limit(path, file);
    if (limit == 0) continue;
    if (file.lines.size() >= limit)
      findings.push_back(path + ": has " + std::to_string(file.lines.size()) + " lines");
    for (size_t i = 0; i < file.lines.size(); ++i) {
      if (columns(file.lines[i]) >= 110)
        findings.push_back(place(file, i) + "has " + std::to_string(columns(file.lines[i])) + " columns");
    }
  }
  return findings;
}

inline Findings check_preprocessor(const SourceTree& tree) {
  Findings findings;
  for_each_line(tree, "src/", [&](const SourceFile& file, size_t i, const std::string& line) {
    const std::string word = directive(line);
    const bool free_room = file.room() == "kernels" || file.room() == "parallel";
    if (!free_room && (word.starts_with("if") || word.starts_with("el")))
      findings.push_back(place(file, i) + "#" + word + " outside kernels and parallel");
    const bool known_macro = line.starts_with("#define CHECK(") || line.starts_with("#define LOG(");
    if (word == "define" && !known_macro)
      findings.push_back(place(file, i) + "a macro that is neither CHECK nor LOG");
  });
  return findings;
}

// A header is a contract: it begins by saying what it promises.
inline Findings check_headers(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, file] : tree) {
    if (!file.is_header()) continue;
    if (file.lines.empty() || !file.lines[0].starts_with("// "))
      findings.push_back(path + ": does not begin with a comment");
    if (std::ranges::count(file.lines, "#pragma once") != 1)
      findings.push_back(path + ": has not one #pragma once");
  }
  return findings;
}

// tests/layout/words.txt
struct WordRules {
  std::vector<std::string> architectures, unfinished, machine;
  std::set<std::string> allowed_files;

  static WordRules parse(const SourceFile& file) {
    WordRules rules;
    for (const std::string& line : file.lines) {
      const size_t space = line.find(' ');
      if (space == std::string::npos || line[0] == '#') continue;
      const std::string kind = line.substr(0, space), value = line.substr(space + 1);
      if (kind == "architecture") rules.architectures.push_back(value);
      if (kind == "unfinished") rules.unfinished.push_back(value);
      if (kind == "machine") rules.machine.push_back(value);
      if (kind == "allow") rules.allowed_files.insert(value);
    }
    return rules;
  }
};

inline Findings check_words(const SourceTree& tree, const WordRules& rules) {
  Findings findings;
  for_each_line(tree, "src/", [&](const SourceFile& file, size_t i, const std::string& line) {
    if (file.room() == "models" || rules.allowed_files.contains(file.path)) return;
    for (const std::string& name : rules.architectures) {
      if (lower(line).find(name) != std::string::npos)
        findings.push_back(place(file, i) + "names an architecture: " + name);
    }
  });
  for_each_line(tree, "", [&](const SourceFile& file, size_t i, const std::string& line) {
    for (const std::string& word : rules.unfinished) {
      if (has_whole_word(line, word)) findings.push_back(place(file, i) + "has '" + word + "'");
    }
    for (const std::string& word : rules.machine) {
      if (line.find(word) != std::string::npos)
        findings.push_back(place(file, i) + "has a machine's path: " + word);
    }
  });
  return findings;
}

// A file compiled for one instruction set may reach no header with inline functions that other files share:
// the linker keeps one copy of those, perhaps the one that this CPU cannot run. Standard headers of types
// and intrinsics are fine.
inline Findings check_instruction_sets(const SourceTree& tree) {
  constexpr std::array<std::string_view, 3> kStandard{"cstddef", "cstdint", "immintrin.h"};
  constexpr std::array<std::string_view, 5> kFolders{"avx2", "avx512", "vnni", "amx", "neon"};
  Findings findings;
  for (const auto& [path, file] : tree) {
    const bool is_isa = std::ranges::any_of(kFolders, [&](std::string_view folder) {
      return path.starts_with("src/kernels/cpu/" + std::string(folder) + "/");
    });
    if (!is_isa || !file.is_source()) continue;
    std::set<std::string> seen;
    const std::function<void(const SourceFile&)> visit = [&](const SourceFile& at) {
      if (!seen.insert(at.path).second) return;
      for (const Include& include : at.includes()) {
        if (!include.quoted && std::ranges::find(kStandard, include.path) == kStandard.end()) {
          findings.push_back(path + ": reaches <" + include.path + "> through " + at.path);
        }
        const auto target = tree.find("src/" + include.path);
        if (include.quoted && target != tree.end()) visit(target->second);
      }
    };
    visit(file);
  }
  return findings;
}

}  // namespace quire
