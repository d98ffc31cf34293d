// From views of the engine to what is drawn of them: rates over the last seconds, from totals that only
// grow; cells of the maps, and who is in them.

const WINDOW_MS = 10_000;

export class Rates {
  #samples = []; // {time_ms, totals}, oldest first

  // A view has come. Totals that have become smaller are another engine's.
  add({ time_ms, totals }) {
    const last = this.#samples.at(-1);
    if (last && (time_ms < last.time_ms || totals.steps < last.totals.steps)) this.#samples = [];
    this.#samples.push({ time_ms, totals });
    const tooOld = () => this.#samples.length > 2 && time_ms - this.#samples[1].time_ms >= WINDOW_MS;
    while (tooOld()) this.#samples.shift();
  }

  // A second, over as much of the window as is known.
  perSecond(name, window = WINDOW_MS) {
    const last = this.#samples.at(-1);
    const before = this.#samples.findLast((sample) => last.time_ms - sample.time_ms >= window);
    const first = before ?? this.#samples[0];
    if (!last || last === first) return 0;
    return ((last.totals[name] - first.totals[name]) * 1000) / (last.time_ms - first.time_ms);
  }

  // The mean of what was counted in the window, in ms; null if nothing was.
  meanMs(sum, count) {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const counted = last ? last.totals[count] - first.totals[count] : 0;
    return counted > 0 ? ((last.totals[sum] - first.totals[sum]) * 1000) / counted : null;
  }
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE = new Map([...DIGITS].map((digit, value) => [digit, value]));
const MOST = 63; // that a digit says; in a cell of more, that many stand for all
const NAMES_SHOWN = 6;

// One number for each cell.
export function readCells(digits) {
  return Uint8Array.from(digits, (digit) => VALUE.get(digit));
}

// How many of a cell's blocks a digit says.
export function countOf(digit, perCell) {
  return Math.round(((digit ?? 0) * perCell) / Math.min(perCell, MOST));
}

// Of a cell's `size` pixels, those that such a count fills; at least one.
export function partOf(size, digit, perCell) {
  return Math.min(size, Math.max(1, Math.round((size * digit) / Math.min(perCell, MOST))));
}

// Cells to draw: all that were touched and, in a small pool, what is left; else some of it, so that growth
// shows.
export function cellsShown({ total, touched, per_cell: perCell }, fewest, most = 4096) {
  const all = Math.ceil(total / perCell);
  let shown = fewest;
  while (shown < Math.ceil(touched / perCell)) shown *= 2;
  return Math.min(all, shown, most);
}

// By block, the places of the tables that name it.
export function ownersOf(tables) {
  const owners = new Map();
  tables.forEach((blocks, place) => {
    for (const block of blocks) {
      const list = owners.get(block);
      if (list) list.push(place);
      else owners.set(block, [place]);
    }
  });
  return owners;
}

// The places of those that have a block in the cell, each once.
export function ownersIn(owners, cell, perCell) {
  if (perCell === 1) return owners.get(cell) ?? [];
  const places = new Set();
  for (let block = cell * perCell; block < (cell + 1) * perCell; ++block) {
    for (const place of owners.get(block) ?? []) places.add(place);
  }
  return [...places];
}

// "#12", or "#12.1" for the second continuation.
export function sequenceName({ request, index }) {
  return index > 0 ? `#${request}.${index}` : `#${request}`;
}

// " · #12, #12.1" of the sequences at these places; nothing of none.
export function namesOf(sequences, places) {
  const names = places.slice(0, NAMES_SHOWN).map((place) => sequenceName(sequences[place]));
  if (places.length > NAMES_SHOWN) names.push(`and ${places.length - NAMES_SHOWN} more`);
  return names.length > 0 ? ` · ${names.join(", ")}` : "";
}
