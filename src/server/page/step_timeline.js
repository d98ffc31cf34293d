// The engine's last steps, one bar each, the newest on the right: as high as the step was long, coloured by
// what it computed. A gap is time in which there was nothing to do.
import { byId } from "./element.js";
import { count, duration, whole } from "./format.js";
import { fitCanvas } from "./palette.js";

const HEIGHT = 96;
const BAR = 5; // with its gap
const MAX_STEPS = 512;
const AXIS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000];

// Steps that views brought, in order; each view has those since the last.
export class StepHistory {
  steps = [];

  add({ steps }) {
    const last = this.steps.at(-1)?.number ?? 0;
    if (steps.length > 0 && steps[0].number <= last) this.steps = []; // another engine
    this.steps.push(...steps);
    if (this.steps.length > MAX_STEPS) this.steps.splice(0, this.steps.length - MAX_STEPS);
  }
}

// The lowest of the usual scales that a step of so many ms fits.
export function axisTop(ms) {
  return AXIS_MS.find((top) => top >= ms) ?? ms;
}

// Of a part of the scale. By its root, so that short steps are seen beside long ones.
function heightOf(part) {
  return Math.sqrt(part) * (HEIGHT - 1);
}

export class StepTimeline {
  #canvas = byId("steps");
  #tip = byId("steps-tip");
  #history = new StepHistory();
  #palette;
  #cursor = null; // x of the pointer

  constructor() {
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    this.#canvas.addEventListener("pointerleave", () => this.#point(null));
  }

  add(view) {
    this.#history.add(view);
  }

  draw(palette) {
    this.#palette = palette;
    const width = this.#canvas.parentElement.clientWidth;
    const context = fitCanvas(this.#canvas, width, HEIGHT);
    const shown = this.#history.steps.slice(-Math.floor(width / BAR));
    const top = axisTop(Math.max(1, ...shown.map((step) => step.ms)));
    context.fillStyle = palette.free;
    for (const part of [1, 0.25]) context.fillRect(0, HEIGHT - Math.round(heightOf(part)), width, 1);
    const left = width - shown.length * BAR;
    shown.forEach((step, i) => this.#drawStep(context, step, left + i * BAR, top));
    for (const part of [1, 0.25]) this.#drawScale(context, duration(top * part), HEIGHT - heightOf(part));
    this.#describe(shown);
    this.#showTip(shown, left);
  }

  // Decodes below, prompts above, by their share of the step's tokens.
  #drawStep(context, step, x, top) {
    const high = Math.max(1, heightOf(step.ms / top));
    const tokens = step.decodes + step.prefill_tokens;
    const prefill = tokens > 0 ? (high * step.prefill_tokens) / tokens : 0;
    context.fillStyle = this.#palette.decode;
    context.fillRect(x, HEIGHT - high, BAR - 1, high);
    context.fillStyle = this.#palette.prefill;
    context.fillRect(x, HEIGHT - high, BAR - 1, prefill);
  }

  // A word of the scale, readable over bars too.
  #drawScale(context, words, y) {
    context.font = "11px ui-monospace, monospace";
    context.textBaseline = "top";
    context.fillStyle = this.#palette.raised;
    context.fillRect(0, y + 2, context.measureText(words).width + 4, 12);
    context.fillStyle = this.#palette.soft;
    context.fillText(words, 2, y + 3);
  }

  #describe(shown) {
    const mean = shown.reduce((sum, step) => sum + step.ms, 0) / Math.max(1, shown.length);
    const some = `the last ${whole(shown.length)}, ${duration(mean)} on average`;
    const words = shown.length > 0 ? some : "none yet";
    byId("steps-note").textContent = words;
    this.#canvas.setAttribute("aria-label", `Step timeline: ${words}`);
  }

  #point(x) {
    this.#cursor = x;
    if (this.#palette) this.draw(this.#palette);
  }

  #showTip(shown, left) {
    const step = this.#cursor === null ? undefined : shown[Math.floor((this.#cursor - left) / BAR)];
    this.#tip.hidden = step === undefined;
    if (step === undefined) return;
    const prompt = step.prefill_tokens > 0 ? ` + ${count(step.prefill_tokens, "prompt token")}` : "";
    const work = `${count(step.decodes, "decode")}${prompt}`;
    this.#tip.textContent = `step ${whole(step.number)} · ${duration(step.ms)} · ${work}`;
    const room = this.#canvas.parentElement.clientWidth - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(this.#cursor + 8, room))}px`;
    this.#tip.style.top = "4px";
  }
}
