// The style sheet's colours, as a canvas takes them.
import { element } from "./element.js";

export const NUM_SEQUENCE_COLOURS = 8;

// {ink, soft, held, kept, free, decode, prefill, paper, raised, sequences: [...]}
export function readPalette() {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = { sequences: [] };
  const names = ["ink", "soft", "held", "kept", "free", "decode", "prefill", "paper", "raised"];
  for (const name of names) palette[name] = colour(name);
  for (let i = 0; i < NUM_SEQUENCE_COLOURS; ++i) palette.sequences.push(colour(`sequence-${i}`));
  probe.remove();
  return palette;
}

export function colourOf(palette, request) {
  return palette.sequences[request % NUM_SEQUENCE_COLOURS];
}

// The canvas as large as its frame, in the screen's own pixels, with `height` in CSS pixels; returns its
// context.
export function fitCanvas(canvas, width, height) {
  const scale = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
