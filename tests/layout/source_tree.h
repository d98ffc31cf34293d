// The repository's sources as the layout test sees them: files, their includes, the table of rooms.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

struct Include {
  std::string path;
  bool quoted = false;  // "..." rather than <...>
};

struct SourceFile {
  std::string path;  // from the repository's root, such as src/base/log.h
  std::vector<std::string> lines;

  bool is_header() const { return path.ends_with(".h"); }
  bool is_source() const { return is_header() || path.ends_with(".cpp"); }

  // The part of the path that names the room: src/<room>/...
  std::string room() const {
    const size_t begin = path.find('/') + 1;
    const size_t end = path.find('/', begin);
    return end == std::string::npos ? "" : path.substr(begin, end - begin);
  }

  // Where it lies: src/<folder>/<file>
  std::string folder() const {
    const size_t begin = path.find('/') + 1;
    const size_t end = path.rfind('/');
    return end < begin || end == std::string::npos ? "" : path.substr(begin, end - begin);
  }

  std::vector<Include> includes() const {
    std::vector<Include> found;
    for (const std::string& line : lines) {
      std::istringstream words(line);
      std::string hash, rest;
      if (!(words >> hash) || hash[0] != '#') continue;
      std::getline(words, rest);
      const std::string text = hash.substr(1) + rest;
      const size_t at = text.find("include");
      if (at == std::string::npos || text.find_first_not_of(' ') != at) continue;
      const size_t open = text.find_first_of("\"<", at);
      if (open == std::string::npos) continue;
      const size_t close = text.find(text[open] == '"' ? '"' : '>', open + 1);
      found.push_back({text.substr(open + 1, close - open - 1), text[open] == '"'});
    }
    return found;
  }
};

// By path. A map, so that messages come in a stable order.
using SourceTree = std::map<std::string, SourceFile>;

inline SourceFile make_source(std::string path, const std::string& text) {
  SourceFile file{std::move(path), {}};
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
  return file;
}

inline SourceTree read_source_tree(const std::filesystem::path& root,
                                   std::initializer_list<const char*> folders) {
  SourceTree tree;
  for (const char* folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      const std::string path = std::filesystem::relative(entry.path(), root).generic_string();
      tree.emplace(path, make_source(path, text.str()));
    }
  }
  return tree;
}

// src/rooms.txt: the rooms in order and then folders of rooms, and what each may include beside itself.
struct RoomTable {
  std::vector<std::string> order;
  std::map<std::string, std::set<std::string>> allowed;

  static RoomTable parse(const SourceFile& file) {
    RoomTable table;
    for (const std::string& line : file.lines) {
      if (line.empty() || line[0] == '#') continue;
      const size_t colon = line.find(':');
      const std::string room = line.substr(0, colon);
      std::istringstream words(colon == std::string::npos ? "" : line.substr(colon + 1));
      table.order.push_back(room);
      for (std::string word; words >> word;) table.allowed[room].insert(word);
      table.allowed[room].insert(room);
    }
    return table;
  }
};

// Columns that a line takes: characters, not bytes.
inline size_t columns(std::string_view line) {
  return static_cast<size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

inline std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

// True if `word` stands in `line` in any case, not as a part of a longer word if it begins or ends in a
// letter.
inline bool has_whole_word(std::string_view line, std::string_view word) {
  const std::string text = lower(line), wanted = lower(word);
  const auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    const bool begins = at == 0 || !is_letter(wanted.front()) || !is_letter(text[at - 1]);
    const bool ends = end == text.size() || !is_letter(wanted.back()) || !is_letter(text[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace quire
