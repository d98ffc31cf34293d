// A tree of markdown.js as elements. Links open apart and tell the other side nothing.
import { codeTokens } from "./code_tokens.js";
import { element } from "./element.js";
import { parseMarkdown } from "./markdown.js";

const INLINE_TAGS = { strong: "strong", emphasis: "em", strike: "del" };

// Shows `text` in `target`. Blocks that are as they were keep their elements: while an answer grows only its
// last block is made anew, and a selection in the others stays.
export function showMarkdown(target, text) {
  const blocks = parseMarkdown(text);
  const shown = target.shownBlocks ?? [];
  let same = 0;
  while (same < blocks.length && same < shown.length && shown[same] === blocks[same].source) ++same;
  while (target.childNodes.length > same) target.lastChild.remove();
  target.append(...blocks.slice(same).map(blockElement));
  target.shownBlocks = blocks.map((block) => block.source);
}

function blockElement(block) {
  switch (block.type) {
    case "heading":
      return element(`h${Math.min(block.level + 2, 6)}`, {}, ...inlineNodes(block.inlines));
    case "code":
      return codeElement(block);
    case "rule":
      return element("hr");
    case "quote":
      return element("blockquote", {}, ...block.blocks.map(blockElement));
    case "list":
      return listElement(block);
    case "table":
      return tableElement(block);
    default:
      return element("p", {}, ...inlineNodes(block.inlines));
  }
}

function listElement(list) {
  const items = list.items.map((blocks) => {
    // One paragraph alone stands in its item as it is.
    const single = blocks.filter((block) => block.type === "paragraph").length <= 1;
    const nodes = blocks.flatMap((block) =>
      single && block.type === "paragraph" ? inlineNodes(block.inlines) : [blockElement(block)],
    );
    return element("li", {}, ...nodes);
  });
  if (!list.ordered) return element("ul", {}, ...items);
  return element("ol", { start: list.start === 1 ? null : list.start }, ...items);
}

function tableElement(table) {
  const cellOf = (tag, cell, i) => element(tag, { class: table.aligns[i] }, ...inlineNodes(cell));
  const row = (tag, cells) => element("tr", {}, ...cells.map((cell, i) => cellOf(tag, cell, i)));
  const rows = table.rows.map((cells) => row("td", cells));
  const head = element("thead", {}, row("th", table.head));
  return element("div", { class: "scroll" }, element("table", {}, head, element("tbody", {}, ...rows)));
}

function codeElement(block) {
  const code = element("code");
  for (const [kind, text] of codeTokens(block.text)) {
    code.append(kind === "" ? text : element("span", { class: kind }, text));
  }
  const copy = element(
    "button",
    { type: "button", class: "quiet copy", onclick: () => copyText(block.text, copy) },
    "Copy",
  );
  const head = element("figcaption", {}, element("span", {}, block.language || "text"), copy);
  return element("figure", { class: "code" }, head, element("pre", { tabindex: "0" }, code));
}

export async function copyText(text, button) {
  const label = button.textContent;
  try {
    await writeClipboard(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = label), 1500);
}

async function writeClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // A page that came over plain HTTP from another machine has only the old way.
  const field = element("textarea", { class: "offscreen", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("not copied");
}

function inlineNodes(inlines) {
  return inlines.map((inline) => {
    if (typeof inline === "string") return document.createTextNode(inline);
    if (inline.type === "break") return element("br");
    if (inline.type === "code") return element("code", {}, inline.text);
    if (inline.type === "link") {
      const attributes = { href: inline.href, target: "_blank", rel: "noopener noreferrer" };
      return element("a", attributes, ...inlineNodes(inline.inlines));
    }
    return element(INLINE_TAGS[inline.type], {}, ...inlineNodes(inline.inlines));
  });
}
