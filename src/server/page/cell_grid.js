// A canvas of equal cells in rows. It lays them out in the width that there is and knows which one is
// pointed at, by pointer or by keys; that one has a tip. What a cell looks like is the painter's to say.
import { fitCanvas } from "./palette.js";

const COLUMNS = [16, 32, 48, 64, 96, 128, 192, 256, 384]; // sixteens, so that an id tells where to look
const LARGEST_SIDE = 18; // of a cell with its gap
const SMALLEST_SIDE = 3;
const MAX_HEIGHT = 330;

export class CellGrid {
  #canvas;
  #tip;
  #painter;
  #palette = null; // null: nothing was drawn yet
  #layout = { side: 1, columns: 1, shown: 0 }; // a side need not be whole; cells begin at whole pixels
  #cursor = -1; // the cell that is pointed at

  // `painter`: {paint(context, cell, {x, y, size}), describe(cell)}.
  constructor(canvas, tip, painter) {
    this.#canvas = canvas;
    this.#tip = tip;
    this.#painter = painter;
    canvas.addEventListener("pointermove", (event) => this.#point(this.#cellAt(event)));
    canvas.addEventListener("pointerleave", () => this.#point(-1));
    canvas.addEventListener("blur", () => this.#point(-1));
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  // The first `shown` cells.
  draw(shown, palette) {
    this.#palette = palette;
    const width = this.#canvas.parentElement.clientWidth;
    this.#layOut(shown, width);
    const { side, columns } = this.#layout;
    const context = fitCanvas(this.#canvas, width, Math.ceil(Math.ceil(shown / columns) * side));
    for (let cell = 0; cell < shown; ++cell) this.#painter.paint(context, cell, this.#placeOf(cell));
    if (this.#cursor >= shown) this.#cursor = -1;
    if (this.#cursor >= 0) this.#drawCursor(context);
    this.#showTip();
  }

  #layOut(shown, width) {
    const possible = COLUMNS.filter((columns) => width / columns >= SMALLEST_SIDE);
    const fits = (columns) => {
      const side = width / columns;
      return side <= LARGEST_SIDE && Math.ceil(shown / columns) * side <= MAX_HEIGHT;
    };
    const columns = possible.find(fits) ?? possible.at(-1) ?? COLUMNS[0];
    this.#layout = { side: width / columns, columns, shown };
  }

  // Where a cell begins, and the pixels of its sides without the gap.
  #placeOf(cell) {
    const { side, columns } = this.#layout;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const [x, y] = [Math.round(column * side), Math.round(row * side)];
    return { x, y, size: Math.floor(side) - (side > 6 ? 2 : 1) };
  }

  #drawCursor(context) {
    const { x, y, size } = this.#placeOf(this.#cursor);
    context.strokeStyle = this.#palette.ink;
    context.lineWidth = 1.5;
    context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
  }

  #cellAt(event) {
    const { side, columns, shown } = this.#layout;
    const [column, row] = [Math.floor(event.offsetX / side), Math.floor(event.offsetY / side)];
    const cell = row * columns + column;
    return column < columns && column >= 0 && row >= 0 && cell < shown ? cell : -1;
  }

  #onKey(event) {
    const { columns, shown } = this.#layout;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const cell = this.#cursor < 0 ? 0 : this.#cursor + by;
    if (cell >= 0 && cell < shown) this.#point(cell);
  }

  #point(cell) {
    if (cell === this.#cursor || this.#palette === null) return;
    this.#cursor = cell;
    this.draw(this.#layout.shown, this.#palette);
  }

  #showTip() {
    this.#tip.hidden = this.#cursor < 0;
    if (this.#cursor < 0) return;
    this.#tip.textContent = this.#painter.describe(this.#cursor);
    const { x, y, size } = this.#placeOf(this.#cursor);
    const room = this.#canvas.parentElement.clientWidth - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(x + size + 4, room))}px`;
    this.#tip.style.top = `${y + size + 6}px`;
  }
}
