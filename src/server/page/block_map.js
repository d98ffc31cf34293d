// The map of physical blocks: one cell a block, or several blocks a cell in a large pool. A cell has the
// colour of the request that holds it; a folded corner says that several sequences do.
import { byId } from "./element.js";
import { readCells } from "./figures.js";
import { count, whole } from "./format.js";
import { colourOf, fitCanvas } from "./palette.js";

const COLUMNS = [16, 32, 48, 64, 96, 128, 192, 256, 384]; // sixteens, so that an id tells where to look
const LARGEST_SIDE = 18; // of a cell with its gap
const SMALLEST_SIDE = 3;
const MAX_HEIGHT = 330;
const MOST = 63; // that a digit says; in a cell of more blocks, that many stand for all
const FEWEST_CELLS = 256;

// Cells to draw: all that were touched and, in a small pool, what is left; else some of it, so that growth
// shows.
export function cellsShown({ total, touched, per_cell }, most = 4096) {
  const all = Math.ceil(total / per_cell);
  let shown = FEWEST_CELLS;
  while (shown < Math.ceil(touched / per_cell)) shown *= 2;
  return Math.min(all, shown, most);
}

export class BlockMap {
  #canvas = byId("map");
  #tip = byId("map-tip");
  #view = null;
  #palette;
  #owners = new Map();
  #cells = null; // {held, kept, holders}
  #grid = { side: 1, columns: 1, shown: 0 }; // a side need not be whole; cells begin at whole pixels
  #chosen = null; // place of the sequence whose table is shown, in the view's list
  #cursor = -1; // the cell that is pointed at

  constructor() {
    this.#canvas.addEventListener("pointermove", (event) => this.#point(this.#cellAt(event)));
    this.#canvas.addEventListener("pointerleave", () => this.#point(-1));
    this.#canvas.addEventListener("blur", () => this.#point(-1));
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  // `owners`: places of sequences by block; `chosen`: the place of the one to bring out, or null.
  draw(view, owners, chosen, palette) {
    this.#view = view;
    this.#owners = owners;
    this.#chosen = chosen;
    this.#palette = palette;
    const { blocks } = view;
    this.#cells = {
      held: readCells(blocks.held),
      kept: readCells(blocks.kept),
      holders: readCells(blocks.holders),
    };
    this.#layOut();
    const context = fitCanvas(this.#canvas, this.#canvas.parentElement.clientWidth, this.#height());
    for (let cell = 0; cell < this.#grid.shown; ++cell) this.#drawCell(context, cell);
    if (this.#cursor >= 0) this.#drawCursor(context);
    const shared = this.#cells.holders.reduce((sum, holders) => sum + (holders > 1 ? 1 : 0), 0);
    this.#canvas.setAttribute(
      "aria-label",
      `Block map: ${count(blocks.used, "block")} of ${whole(blocks.total)} used, ` +
        `${whole(blocks.cached)} cached, ${count(shared, "cell")} shared`,
    );
    this.#showTip();
  }

  #layOut() {
    const width = this.#canvas.parentElement.clientWidth;
    const shown = cellsShown(this.#view.blocks);
    const possible = COLUMNS.filter((columns) => width / columns >= SMALLEST_SIDE);
    const fits = (columns) => {
      const side = width / columns;
      return side <= LARGEST_SIDE && Math.ceil(shown / columns) * side <= MAX_HEIGHT;
    };
    const columns = possible.find(fits) ?? possible.at(-1) ?? COLUMNS[0];
    this.#grid = { side: width / columns, columns, shown };
  }

  #height() {
    return Math.ceil(Math.ceil(this.#grid.shown / this.#grid.columns) * this.#grid.side);
  }

  // Where a cell begins, and the pixels of its sides without the gap.
  #placeOf(cell) {
    const { side, columns } = this.#grid;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const [x, y] = [Math.round(column * side), Math.round(row * side)];
    return { x, y, size: Math.floor(side) - (side > 6 ? 2 : 1) };
  }

  #drawCell(context, cell) {
    const { x, y, size } = this.#placeOf(cell);
    const perCell = this.#view.blocks.per_cell;
    const held = this.#cells.held[cell] ?? 0;
    const kept = this.#cells.kept[cell] ?? 0;
    const places = this.#placesIn(cell);
    const dimmed = this.#chosen !== null && !places.includes(this.#chosen);
    context.fillStyle = this.#palette.free;
    context.fillRect(x, y, size, size);
    // Of a cell of many blocks, as much is filled as is held.
    const part = (digit) => Math.max(1, Math.round((size * digit) / Math.min(perCell, MOST)));
    if (kept > 0) {
      context.fillStyle = this.#palette.kept;
      const high = perCell === 1 ? size : Math.min(size, part(held + kept));
      context.fillRect(x, y + size - high, size, high);
    }
    if (held === 0) return;
    const high = perCell === 1 ? size : Math.min(size, part(held));
    context.globalAlpha = dimmed ? 0.22 : 1;
    context.fillStyle = this.#colourOfPlaces(places);
    context.fillRect(x, y + size - high, size, high);
    if (this.#cells.holders[cell] > 1 && size >= 4) this.#drawShared(context, x, y, size, cell);
    context.globalAlpha = 1;
  }

  // Where there is room, the count of holders; else a folded corner.
  #drawShared(context, x, y, size, cell) {
    const holders = this.#cells.holders[cell];
    context.fillStyle = this.#palette.paper;
    if (size >= 10) {
      context.font = `600 ${size - 4}px ui-monospace, monospace`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(holders > 9 ? "+" : String(holders), x + size / 2, y + size / 2 + 0.5);
      return;
    }
    const fold = Math.max(2, Math.round(size * 0.45));
    context.beginPath();
    context.moveTo(x + size - fold, y);
    context.lineTo(x + size, y);
    context.lineTo(x + size, y + fold);
    context.fill();
  }

  #drawCursor(context) {
    const { x, y, size } = this.#placeOf(this.#cursor);
    context.strokeStyle = this.#palette.ink;
    context.lineWidth = 1.5;
    context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
  }

  #placesIn(cell) {
    const perCell = this.#view.blocks.per_cell;
    if (perCell === 1) return this.#owners.get(cell) ?? [];
    const places = new Set();
    for (let block = cell * perCell; block < (cell + 1) * perCell; ++block) {
      for (const place of this.#owners.get(block) ?? []) places.add(place);
    }
    return [...places];
  }

  #colourOfPlaces(places) {
    if (places.length === 0) return this.#palette.held; // by a sequence that the view has no place for
    const place = this.#chosen !== null && places.includes(this.#chosen) ? this.#chosen : places[0];
    return colourOf(this.#palette, this.#view.sequences[place].request);
  }

  #cellAt(event) {
    const { side, columns, shown } = this.#grid;
    const [column, row] = [Math.floor(event.offsetX / side), Math.floor(event.offsetY / side)];
    const cell = row * columns + column;
    return column < columns && column >= 0 && row >= 0 && cell < shown ? cell : -1;
  }

  #onKey(event) {
    const { columns, shown } = this.#grid;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by === undefined || !this.#view) return;
    event.preventDefault();
    const cell = this.#cursor < 0 ? 0 : this.#cursor + by;
    if (cell >= 0 && cell < shown) this.#point(cell);
  }

  #point(cell) {
    if (cell === this.#cursor || !this.#view) return;
    this.#cursor = cell;
    this.draw(this.#view, this.#owners, this.#chosen, this.#palette);
  }

  #showTip() {
    this.#tip.hidden = this.#cursor < 0;
    if (this.#cursor < 0) return;
    this.#tip.textContent = this.#describe(this.#cursor);
    const { x, y, size } = this.#placeOf(this.#cursor);
    const room = this.#canvas.parentElement.clientWidth - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(x + size + 4, room))}px`;
    this.#tip.style.top = `${y + size + 6}px`;
  }

  #describe(cell) {
    const { per_cell: perCell, touched, total } = this.#view.blocks;
    const names = this.#placesIn(cell).map((place) => sequenceName(this.#view.sequences[place]));
    const some = names.length > 6 ? [...names.slice(0, 6), `and ${names.length - 6} more`] : names;
    const whose = some.length > 0 ? ` · ${some.join(", ")}` : "";
    const first = cell * perCell;
    if (perCell > 1) {
      const blocks = (digit) => Math.round(((digit ?? 0) * perCell) / Math.min(perCell, MOST));
      const [held, kept] = [blocks(this.#cells.held[cell]), blocks(this.#cells.kept[cell])];
      const last = Math.min(first + perCell, total) - 1;
      return `blocks ${first}–${last} · ${held} used, ${kept} cached${whose}`;
    }
    if (first >= touched) return `block ${first} · never used`;
    const holders = this.#cells.holders[cell];
    if (holders > 1) return `block ${first} · shared by ${holders}${whose}`;
    if (holders === 1) return `block ${first} · used${whose}`;
    return `block ${first} · ${this.#cells.kept[cell] > 0 ? "cached, free to take" : "free"}`;
  }
}

// "#12", or "#12.1" for the second continuation.
export function sequenceName({ request, index }) {
  return index > 0 ? `#${request}.${index}` : `#${request}`;
}
