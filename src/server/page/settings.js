// The parameters of a conversation: what they may be, the dialog that changes them, and what of them goes
// into a request.
import { byId, element } from "./element.js";

// A field left empty is the server's to choose.
const FIELDS = [
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.01 },
  { name: "top_p", label: "Top p", min: 0.01, max: 1, step: 0.01 },
  { name: "max_tokens", label: "Max tokens", min: 1, max: 1e6, step: 1 },
  { name: "seed", label: "Seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 },
];
const MORE_FIELDS = [
  { name: "top_k", label: "Top k", min: 0, max: 1e6, step: 1 },
  { name: "min_p", label: "Min p", min: 0, max: 1, step: 0.01 },
  { name: "presence_penalty", label: "Presence penalty", min: -2, max: 2, step: 0.01 },
  { name: "frequency_penalty", label: "Frequency penalty", min: -2, max: 2, step: 0.01 },
  { name: "repetition_penalty", label: "Repetition penalty", min: 0.01, max: 2, step: 0.01 },
];
const ALL_FIELDS = [...FIELDS, ...MORE_FIELDS];

const HINTS = {
  temperature: "0: always the likeliest token",
  top_p: "share of probability drawn from",
  max_tokens: "most in one answer; empty: what the context holds",
  seed: "the same one, the same answer",
  top_k: "only so many likeliest; 0: all",
  min_p: "relative to the likeliest",
  presence_penalty: "once for a token that was used",
  frequency_penalty: "for each of its uses",
  repetition_penalty: "above 1: repeats less",
};

export const DEFAULT_SETTINGS = { system: "", temperature: "0.7", stop: "" };

function isSet(value) {
  return value !== undefined && value.trim() !== "";
}

// The request for an answer to `messages`, which ends with one of the user's.
export function chatRequest(settings, messages) {
  const said = messages.filter(({ content }) => content !== ""); // an answer that failed says nothing
  const request = { messages: said.map(({ role, content }) => ({ role, content })) };
  if (isSet(settings.system)) request.messages.unshift({ role: "system", content: settings.system });
  for (const { name } of ALL_FIELDS) {
    if (isSet(settings[name])) request[name] = Number(settings[name]);
  }
  const stop = (settings.stop ?? "").split("\n").filter((line) => line !== "");
  if (stop.length > 0) request.stop = stop;
  return request;
}

// "temperature 0.7 · max tokens 64": what is set, in short.
export function describeSettings(settings) {
  const set = ALL_FIELDS.filter(({ name }) => isSet(settings[name]));
  const words = set.map(({ name, label }) => `${label.toLowerCase()} ${settings[name]}`);
  if (isSet(settings.system)) words.unshift("system prompt");
  if (isSet(settings.stop)) words.push("stop");
  return words.join(" · ");
}

function fieldRow({ name, label, ...bounds }) {
  const input = element("input", {
    type: "number",
    id: `setting-${name}`,
    name,
    placeholder: "default",
    "aria-describedby": `hint-${name}`,
    ...bounds,
  });
  const words = element("span", { class: "fine", id: `hint-${name}` }, HINTS[name]);
  return element("div", { class: "field" }, element("label", { for: input.id }, label), input, words);
}

function textRow(name, label, rows) {
  const field = element("textarea", { id: `setting-${name}`, name, rows });
  return [element("label", { for: field.id }, label), field];
}

function fill(form, settings) {
  for (const field of form.elements) {
    if (field.name !== "") field.value = settings[field.name] ?? "";
  }
}

// Lets the user change `settings`; calls back with the new ones.
export function openSettings(settings, onChange) {
  const dialog = byId("settings");
  const more = element(
    "details",
    {},
    element("summary", {}, "More"),
    ...MORE_FIELDS.map(fieldRow),
    ...textRow("stop", "Stop at (one a line)", 2),
  );
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "settings-title" }, "Parameters"),
    element("p", { class: "fine" }, "Of this conversation, and of those begun after it."),
    ...textRow("system", "System prompt", 4),
    ...FIELDS.map(fieldRow),
    more,
    element(
      "div",
      { class: "actions" },
      element(
        "button",
        { type: "button", class: "quiet first", onclick: () => fill(form, DEFAULT_SETTINGS) },
        "Defaults",
      ),
      element("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      element("button", { type: "submit", class: "primary" }, "Save"),
    ),
  );
  fill(form, settings);
  more.open = [...MORE_FIELDS, { name: "stop" }].some(({ name }) => isSet(settings[name]));
  form.addEventListener("invalid", () => (more.open = true), true); // what is wrong must be seen
  form.addEventListener("submit", () => {
    const values = Object.fromEntries(new FormData(form));
    onChange({ ...settings, ...values });
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}
