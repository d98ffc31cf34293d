// Splits code into comments, strings, numbers and words that many languages reserve: enough for an eye that
// reads, without a grammar for each language.

const RESERVED = new Set(
  (
    "and as assert async await auto bool break case catch char class const constexpr continue def " +
    "default del delete do double elif else enum except export extends extern false final finally " +
    "float fn for from func function if impl implements import in include inline instanceof int " +
    "interface is lambda let long loop match mod module mut namespace new nil none not null nullptr " +
    "or package pass private protected pub public raise return self short signed sizeof static " +
    "struct super switch template this throw throws trait true try type typedef typename typeof " +
    "union unsigned use using var virtual void volatile where while with yield"
  ).split(" "),
);

const TOKEN = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|(?<=^|\s)#(?![a-z]+\s*[<"])[^\n]*)`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)`,
    String.raw`(?<number>\b\d[\w.]*)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
  ].join("|"),
  "g",
);

// [[kind, text], ...] that together are the code; kind is "", "comment", "string", "number" or "reserved".
export function codeTokens(code) {
  const tokens = [];
  let end = 0;
  const add = (kind, text) => {
    if (text === "") return;
    const last = tokens[tokens.length - 1];
    if (kind === "" && last?.[0] === "") last[1] += text;
    else tokens.push([kind, text]);
  };
  for (const found of code.matchAll(TOKEN)) {
    add("", code.slice(end, found.index));
    const { comment, string, number } = found.groups;
    if (comment !== undefined) add("comment", comment);
    else if (string !== undefined) add("string", string);
    else if (number !== undefined) add("number", number);
    else add(RESERVED.has(found[0].toLowerCase()) ? "reserved" : "", found[0]);
    end = found.index + found[0].length;
  }
  add("", code.slice(end));
  return tokens;
}
