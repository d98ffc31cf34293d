// The engine view: follows the server's stream of views while it is looked at, and shows each: figures, the
// block map, the last steps, who runs and who waits.
import { streamEngine } from "./api.js";
import { BlockMap } from "./block_map.js";
import { byId, element } from "./element.js";
import { ownersOf, Rates, sequenceName } from "./figures.js";
import { count, duration, percent, rate, whole } from "./format.js";
import { readPalette } from "./palette.js";
import { SequenceList } from "./sequence_list.js";
import { StepTimeline } from "./step_timeline.js";
import { SwapMap } from "./swap_map.js";

const RETRY_MS = 2000;
const TABLE_ENTRIES_SHOWN = 512;

export class EngineView {
  #events;
  #abort = null; // of the stream that is being read
  #watched = false;
  #view = null;
  #palette = null;
  #pointed = null; // {request, index} of the sequence that is pointed at or focused
  #pinned = null; // and of the one that was clicked
  #rates = new Rates();
  #map = new BlockMap();
  #swap = new SwapMap();
  #steps = new StepTimeline();
  #list = new SequenceList({ point: (one) => this.#point(one), pin: (one) => this.#pin(one) });
  #figures = new Map(); // by label: [value, detail]

  // `events`: {needsKey()}.
  constructor(events) {
    this.#events = events;
    new ResizeObserver(() => this.#draw()).observe(byId("map-frame"));
    makeLegend("legend", [
      ["free", "free", "free"],
      ["kept", "kept", "cached"],
      ["used", "sequence-0", "used, by its request's colour"],
      ["shared", "sequence-0", "shared, with its count"],
    ]);
    makeLegend("steps-legend", [
      ["used", "decode", "decodes"],
      ["used", "prefill", "prompt tokens"],
    ]);
  }

  // Begins or ends to follow the engine.
  watch(watched) {
    this.#watched = watched;
    if (!watched) this.#abort?.abort();
    else if (this.#abort === null) this.#follow();
  }

  // The server can be reached again.
  restart() {
    if (this.#watched && this.#abort === null) this.#follow();
  }

  recolour() {
    this.#palette = readPalette();
    this.#draw();
  }

  async #follow() {
    const abort = new AbortController();
    this.#abort = abort;
    let failure = null;
    try {
      for await (const view of streamEngine(abort.signal)) this.#show(view);
    } catch (error) {
      failure = error;
    }
    this.#abort = null;
    if (!this.#watched) return;
    if (abort.signal.aborted) return this.#follow(); // looked away and back again
    if (failure?.status === 401) return this.#events.needsKey();
    byId("feed-state").textContent = describeFailure(failure);
    if (failure?.status !== 404) setTimeout(() => this.restart(), RETRY_MS);
  }

  #show(view) {
    byId("feed-state").textContent = "";
    this.#view = view;
    this.#rates.add(view);
    this.#steps.add(view);
    this.#draw();
  }

  #draw() {
    if (this.#view === null || this.#palette === null || byId("map-frame").clientWidth === 0) return;
    const { sequences, waiting } = this.#view;
    const chosen = this.#pointed ?? this.#pinned;
    const ofRequest = ({ request }) => request === chosen?.request;
    // One that was chosen while it waited, or ran, is followed when it does the other.
    const place = sequences.findIndex((one) => ofRequest(one) && one.index === (chosen.index ?? one.index));
    const waits = waiting.find(ofRequest);
    this.#showFigures();
    this.#map.draw(this.#view, place < 0 && !waits ? null : place, this.#palette);
    this.#swap.draw(this.#view, place < 0 && !waits ? null : chosen.request, this.#palette);
    this.#steps.draw(this.#palette);
    this.#list.show(this.#view, chosen);
    byId("table-strip").replaceChildren(...this.#tableOf(sequences[place], waits));
    this.#showNotes();
  }

  #point(sequence) {
    this.#pointed = sequence;
    this.#draw();
  }

  #pin(sequence) {
    const same = this.#pinned?.request === sequence.request && this.#pinned.index === sequence.index;
    this.#pinned = same ? null : sequence;
    this.#draw();
  }

  #showFigures() {
    const { blocks, requests, limits, totals } = this.#view;
    const { size, total, used, cached } = blocks;
    const saved = blocks.table_entries - used;
    const empty = used * size - blocks.slots_filled;
    this.#figure("Generating", rate(this.#rates.perSecond("generation_tokens", 2000)), "tokens/s");
    this.#figure("Reading prompts", rate(this.#rates.perSecond("prompt_tokens")), "tokens/s");
    const ttft = this.#rates.meanMs("ttft_seconds_sum", "ttft_count");
    this.#figure("TTFT", duration(ttft), ttft === null ? "none in 10 s" : "mean of 10 s");
    const tpot = this.#rates.meanMs("tpot_seconds_sum", "tpot_count");
    this.#figure("TPOT", duration(tpot), tpot === null ? "none in 10 s" : "mean of 10 s");
    const atOnce = `of ${whole(limits.max_num_seqs)} at once`;
    const waiting = requests.waiting > 0 ? `${whole(requests.waiting)} waiting` : atOnce;
    this.#figure("Running", whole(requests.running), waiting);
    this.#figure("KV blocks used", whole(used), `${percent(used, total)} of ${whole(total)}`);
    const waste = used > 0 ? `waste ${percent(empty, used * size)}` : "blocks";
    this.#figure("Saved by sharing", whole(Math.max(0, saved)), waste);
    const hits = percent(totals.prefix_hits, totals.prefix_queries);
    const looked = totals.prefix_queries > 0 ? `hit rate ${hits}` : "no prompt yet";
    this.#figure("Cached blocks", whole(cached), looked);
  }

  #figure(label, value, detail) {
    if (!this.#figures.has(label)) {
      const cells = [element("div", { class: "value" }), element("div", { class: "detail" })];
      this.#figures.set(label, cells);
      byId("figures").append(element("div", {}, element("dt", {}, label), element("dd", {}, ...cells)));
    }
    const [valueCell, detailCell] = this.#figures.get(label);
    valueCell.textContent = value;
    detailCell.textContent = detail;
  }

  #showNotes() {
    const { blocks, sequences, requests, swap, waiting } = this.#view;
    const cell = blocks.per_cell > 1 ? `, ${whole(blocks.per_cell)} a cell` : "";
    const everUsed = `${whole(blocks.touched)} of ${whole(blocks.total)} ever used`;
    const words = [`${count(blocks.size, "token")} a block${cell}`, everUsed];
    if (blocks.pinned > 0) words.push(`${whole(blocks.pinned)} pinned`);
    if (swap.total > 0 && swap.touched === 0) words.push("nothing ever swapped out");
    byId("map-note").textContent = words.join(" · ");
    const hidden = requests.sequences - sequences.length + requests.queued - waiting.length;
    byId("sequences-note").textContent = hidden > 0 ? `and ${whole(hidden)} more` : "";
  }

  // What the strip below the map shows: logical blocks in order, each with the physical block that holds it;
  // of a request that was swapped out, with the swap slots.
  #tableOf(sequence, waits) {
    const { sequences, swap } = this.#view;
    if (sequence) {
      const owners = ownersOf(sequences.map((one) => one.blocks));
      const head = `Block table of ${sequenceName(sequence)}:`;
      return tableNodes(head, sequence.blocks, sequence.num_blocks, owners);
    }
    if (!waits) return [element("span", { class: "head" }, "Point at a sequence to see its block table.")];
    const tables = swap.tables.filter(({ request }) => request === waits.request);
    const owners = ownersOf(tables.map((table) => table.slots));
    const nodes = tables.map((table) =>
      element(
        "div",
        {},
        ...tableNodes(`Swap slots of ${sequenceName(table)}:`, table.slots, table.num_slots, owners),
      ),
    );
    if (nodes.length > 0) return nodes;
    const preempted = "its blocks were taken from it, and it will be computed again";
    const words = waits.preemptions > 0 ? preempted : "it has no blocks yet";
    return [element("span", { class: "head" }, `#${waits.request} waits: ${words}.`)];
  }
}

function tableNodes(head, blocks, numBlocks, owners) {
  const entries = blocks.slice(0, TABLE_ENTRIES_SHOWN).map((block, logical) => {
    const shared = owners.get(block).length > 1 ? "entry shared" : "entry";
    const number = element("span", { class: "logical" }, String(logical));
    return element("span", { class: shared }, number, String(block));
  });
  const more = numBlocks - entries.length;
  const rest = more > 0 ? ` and ${whole(more)} more` : "";
  return [element("span", { class: "head" }, head), ...entries, rest];
}

function makeLegend(id, items) {
  const rows = items.map(([kind, colour, words]) => {
    const swatch = element("span", { class: `swatch ${kind}` });
    swatch.style.setProperty("--swatch", `var(--${colour})`);
    return element("li", {}, swatch, words);
  });
  byId(id).replaceChildren(...rows);
}

function describeFailure(error) {
  if (error?.status > 0) return error.message;
  return error === null ? "The server has ended." : "The connection to the engine is lost; trying again.";
}
