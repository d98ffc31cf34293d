#include "grammar/regex.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace quire {
namespace {

using Kind = RegexNode::Kind;

int64_t multiply(int64_t a, int64_t b) {
  constexpr int64_t kMany = int64_t{1} << 40;  // no pattern that passes comes near
  return a == 0 || b == 0 ? 0 : a > kMany / b ? kMany : a * b;
}

LengthRange sum(LengthRange a, LengthRange b) {
  return {a.least + b.least, a.most == kNoLimit || b.most == kNoLimit ? kNoLimit : a.most + b.most};
}

bool within(LengthRange inner, LengthRange outer) {
  return inner.least >= outer.least &&
         (outer.most == kNoLimit || (inner.most != kNoLimit && inner.most <= outer.most));
}

// A repetition of single characters.
bool repeats_characters(const RegexNode& node) {
  if (node.kind != Kind::kRepeat) return false;
  const LengthRange one = lengths(node.children.front());
  return one.least == 1 && one.most == 1;
}

// A character or a set of them in the syntax that xgrammar reads.
void append_character(uint32_t c, std::string& out) {
  const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (alphanumeric || c >= 0x80) {
    append_utf8(c, out);
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
  }
}

std::string plain_set(const CodePointSet& set) {
  std::string out = "[";
  for (const auto& [first, last] : set) {
    append_character(first, out);
    if (last == first) continue;
    if (last > first + 1) out += '-';
    append_character(last, out);
  }
  return out + "]";
}

// What JSON writes with a backslash: the quote, the backslash, and control characters.
std::vector<std::string> json_escapes(const CodePointSet& set, bool controls) {
  std::vector<std::string> out;
  const auto has = [&](uint32_t c) {
    return std::ranges::any_of(set, [c](const auto& r) { return r.first <= c && c <= r.last; });
  };
  if (has('"')) out.emplace_back("\\\\\"");
  if (has('\\')) out.emplace_back("\\\\\\\\");
  constexpr std::string_view kShort = "\bb\ff\nn\rr\tt";
  for (uint32_t c = 0; controls && c < 0x20; ++c) {
    if (!has(c)) continue;
    const size_t known = kShort.find(static_cast<char>(c));
    if (known != kShort.npos) {
      out.push_back(fmt::format("\\\\{}", kShort[known + 1]));
    } else {
      out.push_back(fmt::format("\\\\u{:04x}", c));
    }
  }
  return out;
}

std::string json_set(const CodePointSet& set) {
  CodePointSet raw;
  for (CodePointRange range : set) {
    range.first = std::max<uint32_t>(range.first, 0x20);
    for (const uint32_t hole : {uint32_t{'"'}, uint32_t{'\\'}}) {
      if (range.first > hole || range.last < hole) continue;
      if (range.first < hole) raw.push_back({range.first, hole - 1});
      range.first = hole + 1;
    }
    if (range.first <= range.last) raw.push_back(range);
  }
  // A set without an end means control characters by saying what it does not mean: [^a], "\S".
  const bool open = !set.empty() && set.back().last == 0x10ffff;
  std::vector<std::string> options = json_escapes(set, !open);
  if (!raw.empty()) options.insert(options.begin(), plain_set(raw));
  return options.size() == 1 ? options[0] : fmt::format("({})", fmt::join(options, "|"));
}

void write(const RegexNode& node, TextForm form, std::string& out) {
  switch (node.kind) {
    case Kind::kSet: out += form == TextForm::kPlain ? plain_set(node.set) : json_set(node.set); return;
    case Kind::kRepeat: {
      out += '(';
      write(node.children.front(), form, out);
      out += ')';
      if (node.most == kNoLimit && node.least <= 1) {
        out += node.least == 0 ? '*' : '+';
      } else if (node.most == kNoLimit) {
        fmt::format_to(std::back_inserter(out), "{{{},}}", node.least);
      } else {
        fmt::format_to(std::back_inserter(out), "{{{},{}}}", node.least, node.most);
      }
      return;
    }
    case Kind::kSequence:
      for (const auto& child : node.children) write(child, form, out);
      return;
    case Kind::kChoice: break;
  }
  out += '(';
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) out += '|';
    write(node.children[i], form, out);
  }
  out += ')';
}

}  // namespace

LengthRange lengths(const RegexNode& node) {
  if (node.kind == Kind::kSet) return {1, 1};
  if (node.kind == Kind::kRepeat) {
    const LengthRange one = lengths(node.children.front());
    const bool endless = (node.most == kNoLimit && one.most != 0) || one.most == kNoLimit;
    return {multiply(one.least, node.least),
            endless && node.most != 0 ? kNoLimit : multiply(one.most, std::max<int64_t>(node.most, 0))};
  }
  if (node.children.empty()) return {0, 0};
  LengthRange all = lengths(node.children.front());
  for (size_t i = 1; i < node.children.size(); ++i) {
    const LengthRange next = lengths(node.children[i]);
    if (node.kind == Kind::kSequence) {
      all = sum(all, next);
    } else {
      const bool endless = all.most == kNoLimit || next.most == kNoLimit;
      all = {std::min(all.least, next.least), endless ? kNoLimit : std::max(all.most, next.most)};
    }
  }
  return all;
}

Expected<RegexNode> with_length(const RegexNode& node, LengthRange wanted) {
  if (within(lengths(node), wanted)) return node;
  RegexNode sequence;
  if (node.kind == Kind::kSequence) {
    sequence = node;
  } else {
    sequence.children.push_back(node);
  }
  if (sequence.children.size() == 1 && sequence.children[0].kind == Kind::kSequence) {
    return with_length(sequence.children[0], wanted);
  }
  RegexNode* flexible = nullptr;
  LengthRange fixed{0, 0};
  for (RegexNode& child : sequence.children) {
    const LengthRange own = lengths(child);
    if (own.most == own.least) {
      fixed = sum(fixed, own);
    } else if (flexible == nullptr && repeats_characters(child)) {
      flexible = &child;
    } else {
      return fail(ErrorCode::kUnsupported,
                  "minLength and maxLength cannot be kept with this pattern: say the lengths in the "
                  "pattern, as in [a-z]{{1,8}}");
    }
  }
  const auto unsatisfiable = [] {
    return fail(ErrorCode::kInvalidArgument, "no text of the lengths wanted matches the pattern");
  };
  if (flexible == nullptr) return unsatisfiable();
  flexible->least = std::max(flexible->least, wanted.least - fixed.least);
  if (wanted.most != kNoLimit) {
    const int64_t most = wanted.most - fixed.least;
    flexible->most = flexible->most == kNoLimit ? most : std::min(flexible->most, most);
    if (flexible->most < flexible->least) return unsatisfiable();
  }
  return sequence;
}

Expected<std::string> to_ebnf(const RegexNode& node, TextForm form, GrammarBudget& budget) {
  if (size_of(node) > kMaxRegexSize) {
    return fail(
        ErrorCode::kUnsupported,
        "the pattern stands for more than {} characters once its repetitions are written out: use fewer "
        "or open ones (a*), and maxLength for the length of a string",
        kMaxRegexSize);
  }
  if (lengths(node).most == 0) return "\"\"";
  std::string regex;
  write(node, form, regex);
  auto ebnf = fmt::format("Regex({})", ebnf_literal(regex));
  if (budget.has(ebnf)) return ebnf;  // reckoning takes its time, too
  if (auto charged = budget.charge(ebnf, cost_of(node)); !charged) return std::unexpected(charged.error());
  return ebnf;
}

int64_t size_of(const RegexNode& node) {
  if (node.kind == Kind::kSet) return 1;
  int64_t sum = 0;
  for (const auto& child : node.children) sum += size_of(child);
  if (node.kind != Kind::kRepeat) return sum;
  return multiply(std::max<int64_t>(sum, 1), std::max<int64_t>({node.least, node.most, 1}));
}

}  // namespace quire
