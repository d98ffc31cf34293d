// The map of physical blocks: one cell a block, or several blocks a cell in a large pool. A cell has the
// colour of the request that holds it; its count, or a folded corner, says that several sequences do.
import { CellGrid } from "./cell_grid.js";
import { byId } from "./element.js";
import { cellsShown, countOf, namesOf, ownersIn, ownersOf, partOf, readCells } from "./figures.js";
import { count, whole } from "./format.js";
import { colourOf } from "./palette.js";

const FEWEST_CELLS = 256;

export class BlockMap {
  #canvas = byId("map");
  #grid = new CellGrid(this.#canvas, byId("map-tip"), {
    paint: (context, cell, place) => this.#paint(context, cell, place),
    describe: (cell) => this.#describe(cell),
  });
  #view = null;
  #palette;
  #owners = new Map();
  #cells = null; // {held, kept, holders}
  #chosen = null;

  // `chosen`: the place of the sequence to bring out, in the view's list; -1 if that is in no block, null if
  // there is none.
  draw(view, chosen, palette) {
    this.#view = view;
    this.#owners = ownersOf(view.sequences.map((sequence) => sequence.blocks));
    this.#chosen = chosen;
    this.#palette = palette;
    const { blocks } = view;
    this.#cells = {
      held: readCells(blocks.held),
      kept: readCells(blocks.kept),
      holders: readCells(blocks.holders),
    };
    this.#grid.draw(cellsShown(blocks, FEWEST_CELLS), palette);
    const shared = this.#cells.holders.reduce((sum, holders) => sum + (holders > 1 ? 1 : 0), 0);
    this.#canvas.setAttribute(
      "aria-label",
      `Block map: ${count(blocks.used, "block")} of ${whole(blocks.total)} used, ` +
        `${whole(blocks.cached)} cached, ${count(shared, "cell")} shared`,
    );
  }

  #paint(context, cell, { x, y, size }) {
    const perCell = this.#view.blocks.per_cell;
    const held = this.#cells.held[cell] ?? 0;
    const kept = this.#cells.kept[cell] ?? 0;
    const owners = ownersIn(this.#owners, cell, perCell);
    context.fillStyle = this.#palette.free;
    context.fillRect(x, y, size, size);
    if (kept > 0) {
      context.fillStyle = this.#palette.kept;
      const high = partOf(size, held + kept, perCell);
      context.fillRect(x, y + size - high, size, high);
    }
    if (held === 0) return;
    const high = partOf(size, held, perCell);
    context.globalAlpha = this.#chosen !== null && !owners.includes(this.#chosen) ? 0.22 : 1;
    context.fillStyle = this.#colourOf(owners);
    context.fillRect(x, y + size - high, size, high);
    if (this.#cells.holders[cell] > 1 && size >= 4) this.#paintShared(context, x, y, size, cell);
    context.globalAlpha = 1;
  }

  // Where there is room, the count of holders; else a folded corner.
  #paintShared(context, x, y, size, cell) {
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

  #colourOf(owners) {
    if (owners.length === 0) return this.#palette.held; // by a sequence that the view has no place for
    const place = owners.includes(this.#chosen) ? this.#chosen : owners[0];
    return colourOf(this.#palette, this.#view.sequences[place].request);
  }

  #describe(cell) {
    const { per_cell: perCell, touched, total } = this.#view.blocks;
    const whose = namesOf(this.#view.sequences, ownersIn(this.#owners, cell, perCell));
    const first = cell * perCell;
    if (perCell > 1) {
      const held = countOf(this.#cells.held[cell], perCell);
      const kept = countOf(this.#cells.kept[cell], perCell);
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
