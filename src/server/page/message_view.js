// One message of a conversation on the page, with what can be done with it.
import { element } from "./element.js";
import { duration, rate, whole } from "./format.js";
import { copyText, showMarkdown } from "./markdown_dom.js";

function button(label, act) {
  return element("button", { type: "button", class: "quiet", onclick: act }, label);
}

// "48 tokens · first after 41.2 ms · 212 tokens/s · 32 of 64 prompt tokens cached".
export function describeAnswer(message) {
  const words = [];
  const { tokens, promptTokens, cachedTokens, firstMs, restMs } = message.stats ?? {};
  if (tokens !== undefined) words.push(`${whole(tokens)} tokens`);
  if (firstMs !== undefined) words.push(`first after ${duration(firstMs)}`);
  if (tokens > 1 && restMs > 0) words.push(`${rate(((tokens - 1) * 1000) / restMs)} tokens/s`);
  if (cachedTokens > 0) words.push(`${whole(cachedTokens)} of ${whole(promptTokens)} prompt tokens cached`);
  if (message.finish === "length") words.push("cut off at max tokens");
  if (message.finish === "stopped") words.push("stopped");
  return words.join(" · ");
}

export class MessageView {
  #message;
  #actions;
  #reasoning = element("p");
  #thoughts = element(
    "details",
    { class: "reasoning" },
    element("summary", {}, "Reasoning"),
    this.#reasoning,
  );
  #body = element("div", { class: "body" });
  #foot = element("footer");
  #thinking = false; // there is reasoning, and no answer yet

  // `actions`: {retry(message), edit(message, text)}; a user's message is edited, an answer made again.
  constructor(message, actions) {
    this.#message = message;
    this.#actions = actions;
    const who = message.role === "user" ? "You" : "Answer";
    const attributes = { class: `message ${message.role}`, "aria-label": who };
    this.root = element("article", attributes, this.#thoughts, this.#body, this.#foot);
    this.show(false);
  }

  get message() {
    return this.#message;
  }

  // As the message now is; `growing` while more of it comes.
  show(growing) {
    const { role, content, error } = this.#message;
    this.root.setAttribute("aria-busy", String(growing));
    this.root.classList.toggle("growing", growing);
    this.#showReasoning(growing);
    if (role === "user") this.#body.textContent = content;
    else showMarkdown(this.#body, content);
    this.#foot.replaceChildren();
    if (growing) return;
    if (error) this.#foot.append(element("p", { class: "error", role: "alert" }, error));
    const words = describeAnswer(this.#message);
    if (words !== "") this.#foot.append(element("span", { class: "fine" }, words));
    this.#foot.append(element("div", { class: "row" }, ...this.#buttons()));
  }

  // Open until the answer itself begins, then as whoever reads leaves it.
  #showReasoning(growing) {
    const { reasoning, content } = this.#message;
    this.#thoughts.hidden = !reasoning;
    if (!reasoning) return;
    this.#reasoning.textContent = reasoning;
    const only = growing && content === "";
    if (only !== this.#thinking) this.#thoughts.open = only;
    this.#thinking = only;
  }

  #buttons() {
    const copy = button("Copy", () => copyText(this.#message.content, copy));
    if (this.#message.role === "user") return [button("Edit", () => this.edit()), copy];
    return [button("Retry", () => this.#actions.retry(this.#message)), copy];
  }

  // Puts the message into a field; what follows it is asked for anew when it is sent.
  edit() {
    const field = element("textarea", { rows: "3", "aria-label": "Edit message" });
    field.value = this.#message.content;
    const cancel = () => this.show(false);
    const send = () => {
      if (field.value.trim() !== "") this.#actions.edit(this.#message, field.value);
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") cancel();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.#body.replaceChildren(field);
    const sendButton = element("button", { type: "button", class: "primary", onclick: send }, "Send");
    this.#foot.replaceChildren(element("div", { class: "row" }, button("Cancel", cancel), sendButton));
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
}
