// Numbers as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function whole(value) {
  return WHOLE.format(value);
}

// Three digits that matter.
export function rate(value) {
  if (value >= 99.95 || value === 0) return whole(value);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

// "4.21 ms", "312 ms", "1.24 s", "3 min".
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 999.5) return `${rate(ms)} ms`;
  if (ms < 120_000) return `${rate(ms / 1000)} s`;
  return `${whole(ms / 60_000)} min`;
}

export function percent(part, all) {
  return all > 0 ? `${((100 * part) / all).toFixed(part === all || part === 0 ? 0 : 1)}%` : "–";
}

// "1 block", "12 blocks".
export function count(number, thing) {
  return `${whole(number)} ${thing}${number === 1 ? "" : "s"}`;
}
