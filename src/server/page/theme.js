// Light or dark: as the system says, or as chosen here.
import { byId } from "./element.js";
import { browserStorage } from "./storage.js";

const KEY = "quire.theme";
const CHOICES = [
  ["", "as the system"],
  ["light", "light"],
  ["dark", "dark"],
];

// `onChange` is called when colours may have changed.
export function startTheme(onChange) {
  const button = byId("theme");
  const show = (choice) => {
    const [value, words] = CHOICES.find(([name]) => name === choice) ?? CHOICES[0];
    if (value === "") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    button.dataset.choice = value;
    button.setAttribute("aria-label", `Theme: ${words}`);
    button.title = `Theme: ${words}`;
    onChange();
  };
  button.addEventListener("click", () => {
    const now = CHOICES.findIndex(([name]) => name === (browserStorage.getItem(KEY) ?? ""));
    const [next] = CHOICES[(now + 1) % CHOICES.length];
    browserStorage.setItem(KEY, next);
    show(next);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  show(browserStorage.getItem(KEY) ?? "");
}
