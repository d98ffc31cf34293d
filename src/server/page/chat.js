// The conversation on the page: sends what the user writes, shows the answer as it comes, and keeps both.
import { streamChat } from "./api.js";
import { byId, element } from "./element.js";
import { MessageView } from "./message_view.js";
import { chatRequest, describeSettings } from "./settings.js";

const SAVE_EVERY_MS = 1000; // while an answer comes
const TOUCH = matchMedia("(pointer: coarse)"); // no Shift to begin a line with, and a button to send
const NEAR_END_PX = 80;

function titleOf(text) {
  const line = text.trim().split("\n")[0];
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

export class Chat {
  #conversation = null;
  #views = [];
  #events;
  #abort = null; // of the answer that is coming
  #messages = byId("messages");
  #prompt = byId("prompt");
  #pinned = true; // to the end, while the user has not scrolled away from it

  // `events`: {changed(conversation, structural), needsKey()}.
  constructor(events) {
    this.#events = events;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("stop").addEventListener("click", () => this.stop());
    this.#prompt.addEventListener("keydown", (event) => this.#onKey(event));
    this.#prompt.addEventListener("input", () => this.#fitPrompt());
    this.#messages.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#messages;
      this.#pinned = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    });
  }

  get conversation() {
    return this.#conversation;
  }

  get busy() {
    return this.#abort !== null;
  }

  open(conversation) {
    this.stop();
    this.#conversation = conversation;
    this.#views = conversation.messages.map((message) => this.#viewOf(message));
    this.#messages.replaceChildren(...this.#views.map((view) => view.root));
    if (this.#views.length === 0) this.#messages.append(this.#welcome());
    this.#pinned = true;
    this.#scroll();
    this.showSettings();
    this.focus();
  }

  showSettings() {
    byId("composer-note").textContent = describeSettings(this.#conversation.settings);
  }

  focus() {
    this.#prompt.focus({ preventScroll: true });
  }

  stop() {
    this.#abort?.abort();
  }

  #welcome() {
    return element(
      "div",
      { class: "welcome" },
      element("h1", {}, "What is on your mind?"),
      element("p", {}, "Conversations stay in this browser. Answers come from this server, token by token."),
    );
  }

  #viewOf(message) {
    return new MessageView(message, {
      retry: (answer) => this.#answerAnew(this.#conversation.messages.indexOf(answer)),
      edit: (asked, text) => {
        const at = this.#conversation.messages.indexOf(asked);
        this.#cut(at);
        this.#ask(text);
      },
    });
  }

  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !TOUCH.matches) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.#prompt.value === "" && !this.busy) {
      const asked = this.#views.findLast((view) => view.message.role === "user");
      if (!asked) return;
      event.preventDefault();
      asked.edit();
    }
  }

  #submit() {
    const text = this.#prompt.value;
    if (text.trim() === "" || this.busy) return;
    this.#prompt.value = "";
    this.#fitPrompt();
    this.#ask(text);
  }

  // As high as its text, up to a third of the window.
  #fitPrompt() {
    this.#prompt.style.height = "auto";
    this.#prompt.style.height = `${Math.min(this.#prompt.scrollHeight + 2, innerHeight / 3)}px`;
  }

  #add(message) {
    if (this.#conversation.messages.length === 0) this.#messages.replaceChildren();
    const view = this.#viewOf(message);
    this.#conversation.messages.push(message);
    this.#views.push(view);
    this.#messages.append(view.root);
    return view;
  }

  // Forgets the messages from `at` on.
  #cut(at) {
    this.stop();
    this.#conversation.messages.length = at;
    for (const view of this.#views.splice(at)) view.root.remove();
  }

  #ask(text) {
    if (this.#conversation.messages.length === 0) this.#conversation.title = titleOf(text);
    this.#add({ role: "user", content: text });
    this.#answer();
  }

  #answerAnew(at) {
    this.#cut(at);
    this.#answer();
  }

  async #answer() {
    const conversation = this.#conversation;
    const request = chatRequest(conversation.settings, conversation.messages);
    const message = { role: "assistant", content: "" };
    const view = this.#add(message);
    const abort = new AbortController();
    this.#setBusy(abort);
    this.#pinned = true;
    this.#changed(conversation, true);
    try {
      await this.#stream(request, message, view, abort.signal, () => this.#changed(conversation, false));
    } catch (error) {
      if (error.name === "AbortError") message.finish = "stopped";
      else message.error = error.message;
      if (error.status === 401) this.#events.needsKey();
    }
    if (this.#abort === abort) this.#setBusy(null);
    abort.abort(); // the frame that may still be due is not drawn over the end
    view.show(false);
    this.#scroll();
    if (conversation.messages.includes(message)) this.#changed(conversation, true);
  }

  async #stream(request, message, view, signal, save) {
    const begun = performance.now();
    let first = begun;
    let saved = begun;
    let drawing = false;
    const draw = () => {
      drawing = false;
      if (signal.aborted || message.finish) return;
      view.show(true);
      this.#scroll();
    };
    view.show(true);
    for await (const piece of streamChat(request, signal)) {
      const now = performance.now();
      if (piece.text || piece.reasoning) {
        if (!message.stats) first = now;
        if (piece.text) message.content += piece.text;
        else message.reasoning = (message.reasoning ?? "") + piece.reasoning;
        message.stats = { firstMs: first - begun, restMs: now - first };
        // However fast tokens come, the page is drawn once a frame; in a hidden tab not at all.
        if (!drawing) requestAnimationFrame(draw);
        drawing = true;
        if (now - saved > SAVE_EVERY_MS) {
          saved = now;
          save();
        }
      }
      if (piece.finish) message.finish = piece.finish;
      if (piece.usage) {
        message.stats = {
          ...message.stats,
          tokens: piece.usage.completion_tokens,
          promptTokens: piece.usage.prompt_tokens,
          cachedTokens: piece.usage.prompt_tokens_details?.cached_tokens ?? 0,
        };
      }
    }
  }

  #setBusy(abort) {
    this.#abort = abort;
    byId("send").hidden = this.busy;
    byId("stop").hidden = !this.busy;
  }

  #changed(conversation, structural) {
    conversation.updated = Date.now();
    this.#events.changed(conversation, structural);
  }

  #scroll() {
    if (this.#pinned) this.#messages.scrollTop = this.#messages.scrollHeight;
  }
}
