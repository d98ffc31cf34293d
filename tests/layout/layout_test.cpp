// Reads the repository's own sources and checks what design.md asks of them. The rules are tested too: on
// small trees that break them.
#include <gtest/gtest.h>

#include "tests/layout/layout_rules.h"

namespace quire {
namespace {

class Layout : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tree_ = read_source_tree(QUIRE_SOURCE_DIR, {"benchmarks", "src", "tests"});
  }

  static RoomTable table() { return RoomTable::parse(tree_.at("src/rooms.txt")); }
  static WordRules words() { return WordRules::parse(tree_.at("tests/layout/words.txt")); }

  static void expect_none(const Findings& findings) {
    for (const std::string& finding : findings) ADD_FAILURE() << finding;
  }

  static inline SourceTree tree_;
};

TEST_F(Layout, TheTableOfRoomsHasNoCycle) {
  EXPECT_GE(table().order.size(), 22U);
  expect_none(check_table(table()));
}

TEST_F(Layout, RoomsIncludeOnlyWhatTheirRowNames) {
  EXPECT_GT(tree_.size(), 100U);
  expect_none(check_rooms(tree_, table()));
}

TEST_F(Layout, FoldersOfARoomIncludeOnlyWhatTheirRowNames) {
  EXPECT_TRUE(table().allowed.contains("server/http"));
  expect_none(check_folders(tree_, table()));
}

TEST_F(Layout, NoHeaderReachesItself) { expect_none(check_include_cycles(tree_)); }

TEST_F(Layout, FilesAndLinesAreShort) { expect_none(check_sizes(tree_)); }

TEST_F(Layout, ConditionsAndMacrosAreRare) { expect_none(check_preprocessor(tree_)); }

TEST_F(Layout, HeadersBeginWithTheirContract) { expect_none(check_headers(tree_)); }

TEST_F(Layout, WordsThatMustNotStand) { expect_none(check_words(tree_, words())); }

TEST_F(Layout, InstructionSetsShareNoInlineFunctions) { expect_none(check_instruction_sets(tree_)); }

SourceTree tree_of(std::initializer_list<std::pair<const char*, const char*>> files) {
  SourceTree tree;
  for (const auto& [path, text] : files) tree.emplace(path, make_source(path, text));
  return tree;
}

RoomTable small_table() {
  return RoomTable::parse(make_source("src/rooms.txt", "# two rooms\nlow:\nhigh: low\n"));
}

TEST(LayoutRules, FindTableCycles) {
  EXPECT_TRUE(check_table(small_table()).empty());
  EXPECT_EQ(check_table(RoomTable::parse(make_source("", "a: b\nb: a\n"))).size(), 1U);
  EXPECT_EQ(check_table(RoomTable::parse(make_source("", "a:\na:\n"))).size(), 1U);
  EXPECT_EQ(check_table(RoomTable::parse(make_source("", "a: nowhere\n"))).size(), 1U);
}

TEST(LayoutRules, FindIncludesThatAreNotAllowed) {
  const SourceTree good =
      tree_of({{"src/low/a.h", "#include <vector>\n"}, {"src/high/b.cpp", "#include \"low/a.h\"\n"}});
  EXPECT_TRUE(check_rooms(good, small_table()).empty());
  const SourceTree up = tree_of({{"src/low/a.h", "  #  include \"high/b.h\"\n"}, {"src/high/b.h", ""}});
  EXPECT_EQ(check_rooms(up, small_table()),
            Findings{"src/low/a.h: low may not include high (\"high/b.h\")"});
  const SourceTree gone = tree_of({{"src/low/a.h", "#include \"low/gone.h\"\n"}});
  EXPECT_EQ(check_rooms(gone, small_table()).size(), 1U);
  const SourceTree nowhere = tree_of({{"src/attic/a.h", ""}, {"src/stray.h", ""}});
  EXPECT_EQ(check_rooms(nowhere, small_table()).size(), 2U);
}

TEST(LayoutRules, FindIncludesBetweenFoldersThatAreNotAllowed) {
  const RoomTable table = RoomTable::parse(make_source("src/rooms.txt", "a:\na/x:\na/y: a/x\n"));
  const SourceTree good = tree_of({{"src/a/y/1.h", "#include \"a/x/2.h\"\n#include \"a/3.h\"\n"},
                                   {"src/a/x/2.h", ""},
                                   {"src/a/3.h", "#include \"a/y/1.h\"\n"}});
  EXPECT_TRUE(check_folders(good, table).empty());
  const SourceTree up = tree_of({{"src/a/x/2.h", "#include \"a/y/1.h\"\n"}, {"src/a/y/1.h", ""}});
  EXPECT_EQ(check_folders(up, table), Findings{"src/a/x/2.h: a/x may not include a/y (\"a/y/1.h\")"});
}

TEST(LayoutRules, FindIncludeCycles) {
  const SourceTree cycle = tree_of({{"src/low/a.h", "#include \"low/b.h\"\n"},
                                    {"src/low/b.h", "#include \"low/c.h\"\n"},
                                    {"src/low/c.h", "#include \"low/a.h\"\n"}});
  EXPECT_EQ(check_include_cycles(cycle).size(), 1U);
  const SourceTree diamond = tree_of({{"src/low/a.h", "#include \"low/b.h\"\n#include \"low/c.h\"\n"},
                                      {"src/low/b.h", "#include \"low/c.h\"\n"},
                                      {"src/low/c.h", ""}});
  EXPECT_TRUE(check_include_cycles(diamond).empty());
}

TEST(LayoutRules, FindLongFilesAndLines) {
  const std::string wide(110, 'x'), fits(109, 'x'), long_file(500 * 2, '\n');
  SourceTree tree;
  tree.emplace("src/low/a.h", make_source("src/low/a.h", fits + "\n" + wide + "\n"));
  tree.emplace("src/low/b.cpp", make_source("src/low/b.cpp", long_file));
  const Findings findings = check_sizes(tree);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0], "src/low/a.h:2: has 110 columns");
  EXPECT_EQ(findings[1], "src/low/b.cpp: has 1000 lines");
  EXPECT_EQ(columns("\u00e9\u4e2d!"), 3U);
}

TEST(LayoutRules, FindLongFilesOfThePage) {
  SourceTree tree;
  tree.emplace("src/server/page/a.js", make_source("src/server/page/a.js", std::string(300, '\n')));
  tree.emplace("src/server/page/b.css", make_source("src/server/page/b.css", std::string(110, 'x')));
  tree.emplace("src/server/c.js", make_source("src/server/c.js", std::string(110, 'x')));
  EXPECT_EQ(check_sizes(tree),
            (Findings{"src/server/page/a.js: has 300 lines", "src/server/page/b.css:1: has 110 columns"}));
}

TEST(LayoutRules, FindConditionsAndMacros) {
  const SourceTree tree =
      tree_of({{"src/low/a.h", "#pragma once\n#ifdef X\n#define LIMIT 3\n#endif\n"},
               {"src/kernels/b.h", "# if __x86_64__\n#define CHECK(x)\n#define LOG(x)\n"}});
  EXPECT_EQ(check_preprocessor(tree), (Findings{"src/low/a.h:2: #ifdef outside kernels and parallel",
                                                "src/low/a.h:3: a macro that is neither CHECK nor LOG"}));
}

TEST(LayoutRules, FindHeadersWithoutAContract) {
  const SourceTree tree = tree_of({{"src/low/a.h", "// What it promises.\n#pragma once\n"},
                                   {"src/low/b.h", "#pragma once\n"},
                                   {"src/low/c.h", "// Words.\n"}});
  EXPECT_EQ(check_headers(tree).size(), 2U);
}

TEST(LayoutRules, FindWords) {
  WordRules rules;
  rules.architectures = {"emu"};
  rules.unfinished = {"later"};
  rules.machine = {"/opt/"};
  rules.allowed_files = {"src/low/c.h"};
  const SourceTree tree = tree_of({{"src/low/a.h", "// kEmuStyle\n// LATER: translate later_things\n"},
                                   {"src/low/b.h", "int later_; // collateral\n"},
                                   {"src/low/c.h", "emu"},
                                   {"src/models/emu.h", "emu"},
                                   {"tests/low/d.cpp", "// emu, /opt/bin\n"}});
  EXPECT_EQ(check_words(tree, rules),
            (Findings{"src/low/a.h:1: names an architecture: emu", "src/low/a.h:2: has 'later'",
                      "tests/low/d.cpp:1: has a machine's path: /opt/"}));
}

TEST(LayoutRules, FindInlineFunctionsBehindInstructionSets) {
  const SourceTree tree =
      tree_of({{"src/kernels/cpu/avx2/a.cpp", "#include <immintrin.h>\n#include \"kernels/args.h\"\n"},
               {"src/kernels/cpu/scalar/a.cpp", "#include <vector>\n"},
               {"src/kernels/args.h", "#include <cstdint>\n#include \"kernels/deep.h\"\n"},
               {"src/kernels/deep.h", "#include <string>\n"}});
  EXPECT_EQ(check_instruction_sets(tree),
            Findings{"src/kernels/cpu/avx2/a.cpp: reaches <string> through src/kernels/deep.h"});
}

}  // namespace
}  // namespace quire
