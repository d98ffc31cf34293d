// Markdown as models write it (CommonMark's common part, GitHub's tables), to a tree of plain objects. It
// never fails and never makes markup: what is not understood stays text. Time is linear in the text, and
// depth is bounded.
//
// Blocks: {type, source, ...} with type
//   paragraph {inlines}   heading {level, inlines}   code {language, text, open}   rule
//   list {ordered, start, items: [[block]]}   quote {blocks}
//   table {aligns, head: [inlines], rows: [[inlines]]}
import { parseInlines } from "./markdown_inlines.js";

const MAX_DEPTH = 8;

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})(?=\s|$)/;
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+|$)/;
const QUOTE = /^ {0,3}> ?/;
const TABLE_RULE = /^:?-+:?$/; // one cell of it

export function parseMarkdown(text) {
  return parseBlocks(text.replace(/\r\n?/g, "\n").split("\n"), 0);
}

function parseBlocks(lines, depth) {
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    if (lines[at].trim() === "") {
      ++at;
      continue;
    }
    const [block, next] = parseBlock(lines, at, depth);
    block.source = lines.slice(at, next).join("\n");
    blocks.push(block);
    at = next;
  }
  return blocks;
}

// The block that begins at a line that is not blank, and the line behind it.
function parseBlock(lines, at, depth) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return parseCode(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) {
    const inlines = parseInlines(headingText(line.slice(heading[0].length)));
    return [{ type: "heading", level: heading[1].length, inlines }, at + 1];
  }
  if (RULE.test(line)) return [{ type: "rule" }, at + 1];
  if (depth < MAX_DEPTH) {
    if (QUOTE.test(line)) return parseQuote(lines, at, depth);
    if (ITEM.test(line)) return parseList(lines, at, depth);
  }
  if (line.includes("|") && at + 1 < lines.length && isTableRule(lines[at + 1], line)) {
    return parseTable(lines, at);
  }
  return parseParagraph(lines, at, depth);
}

// Without the marks that may close it: "# Title #".
function headingText(text) {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (end > 0 && trimmed[end - 1] === "#") --end;
  return end === 0 || trimmed[end - 1] === " " ? trimmed.slice(0, end).trimEnd() : trimmed;
}

function parseCode(lines, at, [, marks, language]) {
  const indent = lines[at].search(/\S/);
  const text = [];
  let next = at + 1;
  for (; next < lines.length; ++next) {
    const line = lines[next];
    const closes = line.trim();
    if (closes.startsWith(marks) && closes === closes[0].repeat(closes.length)) break;
    text.push(line.slice(Math.min(indent, line.search(/\S|$/))));
  }
  // While an answer is being written the last fence is open: the code so far is code.
  const open = next === lines.length;
  return [{ type: "code", language, text: text.join("\n"), open }, open ? next : next + 1];
}

function parseQuote(lines, at, depth) {
  const inner = [];
  let next = at;
  while (next < lines.length && QUOTE.test(lines[next])) inner.push(lines[next++].replace(QUOTE, ""));
  return [{ type: "quote", blocks: parseBlocks(inner, depth + 1) }, next];
}

function parseList(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const list = { type: "list", ordered, start: ordered ? parseInt(first[2], 10) : 1, items: [] };
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    if (!item || /\d/.test(item[2]) !== ordered || RULE.test(lines[next])) break;
    const width = Math.min(item[0].length, item[1].length + item[2].length + 4);
    const inner = [lines[next++].slice(width)];
    next = takeItem(lines, next, width, inner);
    list.items.push(parseBlocks(inner, depth + 1));
  }
  return [list, next];
}

// The lines that belong to an item: those indented as its text is, blank ones among them, and lines that go
// on with its paragraph.
function takeItem(lines, next, width, inner) {
  for (; next < lines.length; ++next) {
    const line = lines[next];
    const indent = line.search(/\S/);
    if (indent < 0) {
      const after = lines.slice(next, next + 3).find((other) => other.trim() !== "");
      if (after === undefined || after.search(/\S/) < Math.min(width, 2)) break;
      inner.push("");
    } else if (indent >= Math.min(width, 2)) {
      inner.push(line.slice(Math.min(indent, width)));
    } else if (startsBlock(line) || inner[inner.length - 1] === "") {
      break;
    } else {
      inner.push(line);
    }
  }
  // Blank lines between two items do not end the list.
  let behind = next;
  while (behind < lines.length && lines[behind].trim() === "") ++behind;
  return behind < lines.length && ITEM.test(lines[behind]) ? behind : next;
}

function startsBlock(line) {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);
}

function parseParagraph(lines, at) {
  let next = at + 1;
  while (next < lines.length && lines[next].trim() !== "" && !startsBlock(lines[next])) ++next;
  return [{ type: "paragraph", inlines: parseInlines(lines.slice(at, next).join("\n").trim()) }, next];
}

function cellsOf(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function isTableRule(line, head) {
  const rules = cellsOf(line);
  return rules.every((rule) => TABLE_RULE.test(rule)) && rules.length === cellsOf(head).length;
}

function parseTable(lines, at) {
  const head = cellsOf(lines[at]);
  const aligns = cellsOf(lines[at + 1]).map((rule) => {
    if (!rule.endsWith(":")) return "left";
    return rule.startsWith(":") ? "center" : "right";
  });
  const rows = [];
  let next = at + 2;
  for (; next < lines.length && lines[next].includes("|"); ++next) {
    const cells = cellsOf(lines[next]).slice(0, head.length);
    while (cells.length < head.length) cells.push("");
    rows.push(cells.map(parseInlines));
  }
  return [{ type: "table", aligns, head: head.map(parseInlines), rows }, next];
}
