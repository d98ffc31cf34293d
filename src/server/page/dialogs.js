// The API key's dialog, the list of keyboard shortcuts, and the line of notice under the bar.
import { apiKey, setApiKey } from "./api.js";
import { byId, element } from "./element.js";

const SHORTCUTS = [
  ["Enter", "send"],
  ["Shift + Enter", "new line"],
  ["Escape", "stop the answer, close a dialog"],
  ["↑ in an empty message", "edit what was asked last"],
  ["Alt + N", "new conversation"],
  ["Alt + 1, 2, 3", "chat, side by side, engine"],
  ["/", "write a message"],
  ["?", "this list"],
];

// Asks for a key, `refused` if the one that there is was; `onSaved` is called when there is a new one.
export function openKey(refused, onSaved) {
  const dialog = byId("key");
  if (dialog.open) return;
  const input = element("input", { type: "password", id: "key-input", autocomplete: "off" });
  input.value = apiKey();
  input.select();
  const remember = element("input", { type: "checkbox", id: "key-remember" });
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "key-title" }, "API key"),
    element("p", {}, "This server answers those who have a key. It is sent to this server only."),
    element("label", { for: "key-input" }, "Key"),
    input,
    refused ? element("p", { class: "error", role: "alert" }, "The server does not take this key.") : null,
    element(
      "div",
      { class: "choice" },
      remember,
      element("label", { for: "key-remember" }, "Remember in this browser"),
    ),
    element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      element("button", { type: "submit", class: "primary" }, "Use key"),
    ),
  );
  form.addEventListener("submit", () => {
    setApiKey(input.value.trim(), remember.checked);
    onSaved();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

export function openShortcuts() {
  const dialog = byId("shortcuts");
  const rows = SHORTCUTS.flatMap(([keys, what]) => [
    element("dt", {}, element("kbd", {}, keys)),
    element("dd", {}, what),
  ]);
  dialog.replaceChildren(
    element(
      "form",
      { method: "dialog" },
      element("h2", { id: "shortcuts-title" }, "Keyboard"),
      element("dl", { class: "shortcuts" }, ...rows),
      element("div", { class: "actions" }, element("button", { class: "primary" }, "Close")),
    ),
  );
  dialog.showModal();
}

let hideNotice = 0;

// One line for a while, or until the next: with a button, such as {label: "Undo", act}.
export function notice(text, { button = null, seconds = 8 } = {}) {
  const line = byId("notice");
  line.replaceChildren(text);
  if (button) {
    const act = () => {
      line.hidden = true;
      button.act();
    };
    line.append(" ", element("button", { type: "button", class: "quiet", onclick: act }, button.label));
  }
  line.hidden = text === "";
  clearTimeout(hideNotice);
  if (seconds > 0) hideNotice = setTimeout(() => (line.hidden = true), seconds * 1000);
}
