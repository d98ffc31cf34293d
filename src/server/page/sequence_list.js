// The table of sequences: those that run, then requests that wait. Rows stay the same elements from view to
// view, so that what is hovered or focused stays so.
import { byId, element } from "./element.js";
import { sequenceName } from "./figures.js";
import { duration, whole } from "./format.js";
import { NUM_SEQUENCE_COLOURS } from "./palette.js";

const COLUMNS = ["Sequence", "State", "Prompt", "Cached", "Output", "Blocks", "TTFT", "TPOT", "Age"];

export class SequenceList {
  #body = element("tbody");
  #rows = new Map(); // by name
  #actions;

  // `actions`: {point(sequence), pin(sequence)}, of the {request, index} that is pointed at or focused, or
  // null when it no longer is, and of the one that is clicked. A request that waits has no index.
  constructor(actions) {
    this.#actions = actions;
    const head = element("tr", {}, ...COLUMNS.map((column) => element("th", { scope: "col" }, column)));
    byId("sequences").append(element("thead", {}, head), this.#body);
  }

  // `chosen`: {request, index} of the one whose table is shown, or null.
  show(view, chosen) {
    const rows = [];
    for (const sequence of view.sequences) {
      const name = sequenceName(sequence);
      const row = this.#row(name, () => this.#newRow(name, sequence));
      const same = sequence.request === chosen?.request && sequence.index === chosen.index;
      row.classList.toggle("chosen", same);
      fill(row, runningCells(sequence));
      showState(row.cells[1], sequence);
      rows.push(row);
    }
    for (const waiting of view.waiting) {
      const name = `waiting ${waiting.request}`;
      const row = this.#row(name, () => this.#newRow(waitingName(waiting), { ...waiting, index: null }));
      row.classList.add("waiting");
      row.classList.toggle("chosen", waiting.request === chosen?.request);
      fill(row, waitingCells(waiting));
      const preempted = waiting.preemptions > 0 && waiting.state === "waiting";
      row.cells[1].textContent = preempted ? `preempted ×${waiting.preemptions}` : waiting.state;
      rows.push(row);
    }
    if (rows.length === 0) rows.push(this.#row("empty", emptyRow));
    this.#place(rows);
  }

  #row(name, make) {
    if (!this.#rows.has(name)) this.#rows.set(name, make());
    return this.#rows.get(name);
  }

  #newRow(words, { request, index }) {
    const swatch = element("span", { class: "swatch" });
    swatch.style.setProperty("--swatch", `var(--sequence-${request % NUM_SEQUENCE_COLOURS})`);
    const cells = emptyCells();
    cells[0].append(swatch, words);
    const point = () => this.#actions.point({ request, index });
    const leave = () => this.#actions.point(null);
    const pin = () => this.#actions.pin({ request, index });
    const row = element("tr", { tabindex: "0", onclick: pin }, ...cells);
    for (const event of ["pointerenter", "focus"]) row.addEventListener(event, point);
    for (const event of ["pointerleave", "blur"]) row.addEventListener(event, leave);
    return row;
  }

  // Moves only what has moved: a focused row that is taken out loses its focus.
  #place(rows) {
    const wanted = new Set(rows);
    for (const [name, row] of this.#rows) {
      if (wanted.has(row)) continue;
      row.remove();
      this.#rows.delete(name);
    }
    rows.forEach((row, i) => {
      if (this.#body.rows[i] !== row) this.#body.insertBefore(row, this.#body.rows[i] ?? null);
    });
  }
}

function emptyCells() {
  return COLUMNS.map(() => element("td"));
}

function fill(row, cells) {
  for (const [column, text] of Object.entries(cells)) {
    const cell = row.cells[COLUMNS.indexOf(column)];
    if (cell.textContent !== text) cell.textContent = text;
  }
}

function runningCells(sequence) {
  return {
    Prompt: whole(sequence.prompt_tokens),
    Cached: sequence.cached_tokens > 0 ? whole(sequence.cached_tokens) : "–",
    Output: whole(sequence.output_tokens),
    Blocks: whole(sequence.num_blocks),
    TTFT: duration(sequence.ttft_ms),
    TPOT: duration(sequence.tpot_ms),
    Age: duration(sequence.age_ms),
  };
}

// "#12", or "#12 ×4" of four sequences.
function waitingName({ request, sequences }) {
  return sequences > 1 ? `#${request} ×${sequences}` : `#${request}`;
}

function waitingCells(waiting) {
  return {
    Prompt: whole(waiting.prompt_tokens),
    Output: waiting.output_tokens > 0 ? whole(waiting.output_tokens) : "–",
    Age: duration(waiting.age_ms),
  };
}

// A prompt that is being read shows how far.
function showState(cell, sequence) {
  if (sequence.state !== "prefill") {
    if (cell.textContent !== sequence.state) cell.replaceChildren(sequence.state);
    return;
  }
  const bar = element("span");
  const all = sequence.prompt_tokens + sequence.output_tokens;
  bar.style.width = `${Math.min(100, (100 * sequence.computed_tokens) / all)}%`;
  cell.replaceChildren(sequence.state, element("span", { class: "progress" }, bar));
}

function emptyRow() {
  const cell = element("td", { colspan: COLUMNS.length }, "Nothing runs, and nobody waits.");
  return element("tr", { class: "empty" }, cell);
}
