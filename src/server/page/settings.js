// The parameters of a conversation: what they may be, the dialog that changes them, and what of them goes
// into a request.
import { byId, element } from "./element.js";

// A field left empty is the server's to choose.
const FIELDS = [
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.05 },
  { name: "top_p", label: "Top p", min: 0.01, max: 1, step: 0.01 },
  { name: "max_tokens", label: "Max tokens", min: 1, max: 1e6, step: 1 },
  { name: "seed", label: "Seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 },
];

const HINTS = {
  temperature: "0: always the likeliest token",
  top_p: "share of probability to draw from",
  max_tokens: "at most so many in an answer",
  seed: "the same seed, the same answer",
};

export const DEFAULT_SETTINGS = { system: "", temperature: "0.7", top_p: "", max_tokens: "1024", seed: "" };

// The request for an answer to `messages`, which ends with one of the user's.
export function chatRequest(settings, messages) {
  const said = messages.filter(({ content }) => content !== ""); // an answer that failed says nothing
  const request = { messages: said.map(({ role, content }) => ({ role, content })) };
  if (settings.system.trim() !== "") request.messages.unshift({ role: "system", content: settings.system });
  for (const { name } of FIELDS) {
    if (settings[name] !== "" && settings[name] !== undefined) request[name] = Number(settings[name]);
  }
  return request;
}

// "temperature 0.7, max tokens 1024": what is set, in short.
export function describeSettings(settings) {
  const set = FIELDS.filter(({ name }) => settings[name] !== "" && settings[name] !== undefined);
  const words = set.map(({ name, label }) => `${label.toLowerCase()} ${settings[name]}`);
  if (settings.system.trim() !== "") words.unshift("system prompt");
  return words.join(" · ");
}

function fieldRow(field, settings) {
  const input = element("input", {
    type: "number",
    id: `setting-${field.name}`,
    name: field.name,
    min: field.min,
    max: field.max,
    step: field.step,
    value: settings[field.name] ?? "",
    placeholder: "default",
    "aria-describedby": `hint-${field.name}`,
  });
  const hint = element("span", { class: "fine", id: `hint-${field.name}` }, HINTS[field.name]);
  return element("div", { class: "field" }, element("label", { for: input.id }, field.label), input, hint);
}

// Lets the user change `settings`; calls back with the new ones.
export function openSettings(settings, onChange) {
  const dialog = byId("settings");
  const system = element("textarea", { id: "setting-system", name: "system", rows: "4" });
  system.value = settings.system;
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "settings-title" }, "Parameters"),
    element("p", { class: "fine" }, "Of this conversation, and of those begun after it."),
    element("label", { for: "setting-system" }, "System prompt"),
    system,
    ...FIELDS.map((field) => fieldRow(field, settings)),
    element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      element("button", { type: "submit", class: "primary" }, "Save"),
    ),
  );
  form.addEventListener("submit", () => {
    const values = Object.fromEntries(new FormData(form));
    onChange({ ...settings, ...values });
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}
