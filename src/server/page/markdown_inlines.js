// The inner part of Markdown: what stands within a paragraph, a heading or a cell, as a tree of plain
// objects: strings, {type: "code", text}, {type: "strong" | "emphasis" | "strike", inlines}, {type: "link",
// href, inlines}, {type: "break"}.

const MAX_DEPTH = 6;

// Where links may lead. All else, javascript: before all, stays text.
const SAFE_LINK = /^(?:https?:\/\/|mailto:)[^\s<>"]+$/i;
const BARE_LINK = /^https?:\/\/[^\s<>"`]+[^\s<>"`.,;:!?'*_)\]}]/;
const ESCAPED = /^\\([!-/:-@[-`{-~])/;
const PLAIN = /^[^\\`*_~[!<h\n]+/;
const MARKS = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "strike"],
  ["*", "emphasis"],
  ["_", "emphasis"],
];

export function parseInlines(text) {
  return new InlineParser(text).parse(0, text.length, 0);
}

class InlineParser {
  #text;
  #missing = new Map(); // by mark: there is none from this position on, so no mark is sought in vain twice

  constructor(text) {
    this.#text = text;
  }

  parse(begin, end, depth) {
    const inlines = [];
    let plain = "";
    for (let at = begin; at < end; ) {
      const found = this.#next(at, end, depth);
      if (typeof found.inline === "string") {
        plain += found.inline;
      } else {
        if (plain !== "") inlines.push(plain);
        plain = "";
        inlines.push(found.inline);
      }
      at = found.next;
    }
    if (plain !== "") inlines.push(plain);
    return inlines;
  }

  #next(at, end, depth) {
    const rest = this.#text.slice(at, Math.min(end, at + 2048)); // nothing matched below is longer
    const plain = PLAIN.exec(rest);
    if (plain) return { inline: plain[0], next: at + plain[0].length };
    const escaped = ESCAPED.exec(rest);
    if (escaped) return { inline: escaped[1], next: at + 2 };
    if (rest[0] === "\n") return this.#lineEnd(at, end);
    const found =
      this.#code(at, end) ??
      (depth < MAX_DEPTH ? (this.#marked(at, end, depth) ?? this.#link(at, end, depth)) : null) ??
      this.#bareLink(at, rest);
    return found ?? { inline: rest[0], next: at + 1 };
  }

  // Models end lines where they mean to.
  #lineEnd(at, end) {
    let next = at + 1;
    while (next < end && this.#text[next] === " ") ++next;
    return { inline: { type: "break" }, next };
  }

  // Where `mark` stands next, from `at` on and before `end`; -1 if nowhere.
  #find(mark, at, end) {
    if (at >= (this.#missing.get(mark) ?? Infinity)) return -1;
    const found = this.#text.indexOf(mark, at);
    if (found < 0) this.#missing.set(mark, at);
    return found < 0 || found + mark.length > end ? -1 : found;
  }

  #code(at, end) {
    if (this.#text[at] !== "`") return null;
    let begin = at;
    while (this.#text[begin] === "`" && begin < end) ++begin;
    const marks = this.#text.slice(at, begin);
    for (let close = this.#find(marks, begin, end); close >= 0; ) {
      let next = close;
      while (this.#text[next] === "`" && next < end) ++next;
      if (next - close === marks.length) {
        const text = this.#text.slice(begin, close).replace(/\n/g, " ");
        const blank = text.trim() === "";
        return { inline: { type: "code", text: blank ? text : text.replace(/^ (.*) $/, "$1") }, next };
      }
      close = this.#find(marks, next, end);
    }
    return { inline: marks, next: begin };
  }

  #marked(at, end, depth) {
    for (const [mark, type] of MARKS) {
      if (!this.#text.startsWith(mark, at)) continue;
      const begin = at + mark.length;
      if (/\s/.test(this.#text[begin] ?? " ")) return null;
      // snake_case is no emphasis.
      if (mark[0] === "_" && /\w/.test(this.#text[at - 1] ?? " ")) return null;
      const close = this.#closing(mark, begin, end);
      if (close < 0) continue;
      return { inline: { type, inlines: this.parse(begin, close, depth + 1) }, next: close + mark.length };
    }
    return null;
  }

  #closing(mark, begin, end) {
    let tries = 32; // marks that close nothing are rare where people write, and many where somebody attacks
    for (let at = begin + 1; tries > 0; --tries) {
      const close = this.#find(mark, at, end);
      if (close < 0) return -1;
      const before = this.#text[close - 1];
      const after = close + mark.length < end ? this.#text[close + mark.length] : " ";
      const longer = mark.length === 1 && (after === mark || before === mark);
      const within = mark[0] === "_" && /\w/.test(after);
      if (!/\s/.test(before) && before !== "\\" && !longer && !within) {
        return mark.length === 2 && after === mark[0] ? close + 1 : close; // ***both***
      }
      at = close + (longer && after === mark ? 2 : 1);
    }
    return -1;
  }

  // [text](href), <href>, and ![text](href), of which the page shows the text alone: it fetches nothing.
  #link(at, end, depth) {
    const text = this.#text;
    if (text[at] === "<") {
      const close = this.#find(">", at, Math.min(end, at + 2048));
      const href = close < 0 ? "" : text.slice(at + 1, close);
      if (!SAFE_LINK.test(href)) return null;
      return { inline: { type: "link", href, inlines: [href] }, next: close + 1 };
    }
    const open = text[at] === "!" ? at + 1 : at;
    if (text[open] !== "[") return null;
    const middle = this.#find("](", open, Math.min(end, open + 1024));
    if (middle < 0) return null;
    const close = this.#find(")", middle, Math.min(end, middle + 2048));
    if (close < 0) return null;
    const href = text.slice(middle + 2, close).trim().split(/\s/)[0];
    if (!SAFE_LINK.test(href)) return null;
    const inlines = this.parse(open + 1, middle, MAX_DEPTH - 1);
    return { inline: { type: "link", href, inlines }, next: close + 1 };
  }

  #bareLink(at, rest) {
    if (rest[0] !== "h" || /\w/.test(this.#text[at - 1] ?? " ")) return null;
    const found = BARE_LINK.exec(rest);
    if (!found) return null;
    return { inline: { type: "link", href: found[0], inlines: [found[0]] }, next: at + found[0].length };
  }
}
