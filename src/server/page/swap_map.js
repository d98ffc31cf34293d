// The map of the swap space, below that of the blocks: what preempted sequences have in it until they are
// back. It is shown once there was anything.
import { CellGrid } from "./cell_grid.js";
import { byId } from "./element.js";
import { cellsShown, countOf, namesOf, ownersIn, ownersOf, partOf, readCells } from "./figures.js";
import { count, whole } from "./format.js";
import { colourOf } from "./palette.js";

const FEWEST_CELLS = 64;

export class SwapMap {
  #canvas = byId("swap-map");
  #grid = new CellGrid(this.#canvas, byId("swap-tip"), {
    paint: (context, cell, place) => this.#paint(context, cell, place),
    describe: (cell) => this.#describe(cell),
  });
  #swap = null;
  #palette;
  #owners = new Map();
  #held = [];
  #chosen = null;

  // `chosen`: the request to bring out; null if there is none.
  draw({ swap }, chosen, palette) {
    byId("swap").hidden = swap.touched === 0;
    if (swap.touched === 0) return;
    this.#swap = swap;
    this.#owners = ownersOf(swap.tables.map((table) => table.slots));
    this.#held = readCells(swap.held);
    this.#chosen = chosen;
    this.#palette = palette;
    this.#grid.draw(cellsShown(swap, FEWEST_CELLS), palette);
    const words = `${whole(swap.used)} of ${count(swap.total, "slot")} taken`;
    byId("swap-note").textContent = words;
    this.#canvas.setAttribute("aria-label", `Swap space: ${words}`);
  }

  // Hollow, unlike blocks: nothing there can be computed with.
  #paint(context, cell, { x, y, size }) {
    const perCell = this.#swap.per_cell;
    const held = this.#held[cell] ?? 0;
    context.fillStyle = this.#palette.free;
    context.fillRect(x, y, size, size);
    if (held === 0) return;
    const requests = ownersIn(this.#owners, cell, perCell).map((place) => this.#swap.tables[place].request);
    const high = partOf(size, held, perCell);
    const line = size > 6 ? 2 : 1;
    context.globalAlpha = this.#chosen !== null && !requests.includes(this.#chosen) ? 0.3 : 1;
    context.fillStyle = this.#colourOf(requests);
    context.fillRect(x, y + size - high, size, high);
    context.globalAlpha = 1;
    if (high <= 2 * line) return;
    context.fillStyle = this.#palette.raised;
    context.fillRect(x + line, y + size - high + line, size - 2 * line, high - 2 * line);
  }

  #colourOf(requests) {
    if (requests.length === 0) return this.#palette.held;
    return colourOf(this.#palette, requests.includes(this.#chosen) ? this.#chosen : requests[0]);
  }

  #describe(cell) {
    const { per_cell: perCell, tables, total } = this.#swap;
    const whose = namesOf(tables, ownersIn(this.#owners, cell, perCell));
    const first = cell * perCell;
    if (perCell > 1) {
      const last = Math.min(first + perCell, total) - 1;
      return `swap slots ${first}–${last} · ${countOf(this.#held[cell], perCell)} taken${whose}`;
    }
    return `swap slot ${first} · ${this.#held[cell] > 0 ? "swapped out" : "free"}${whose}`;
  }
}
