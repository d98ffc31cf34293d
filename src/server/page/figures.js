// From views of the engine to the figures above the block map: rates over the last seconds, from totals that
// only grow.

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

// One number for each cell.
export function readCells(digits) {
  return Uint8Array.from(digits, (digit) => VALUE.get(digit));
}

// Whose each block is: the sequences (by place in the view's list) of every block that their tables name.
export function ownersOf(sequences) {
  const owners = new Map();
  sequences.forEach((sequence, place) => {
    for (const block of sequence.blocks) {
      const list = owners.get(block);
      if (list) list.push(place);
      else owners.set(block, [place]);
    }
  });
  return owners;
}
