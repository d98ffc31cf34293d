// The page: which view is shown, which conversation is open, what keys do, and whether the server answers.
import { apiKey, fetchModel } from "./api.js";
import { Chat } from "./chat.js";
import { showConversations } from "./conversation_list.js";
import { notice, openKey, openShortcuts } from "./dialogs.js";
import { byId } from "./element.js";
import { EngineView } from "./engine_view.js";
import { DEFAULT_SETTINGS, openSettings } from "./settings.js";
import { browserStorage } from "./storage.js";
import { ConversationStore } from "./store.js";
import { startTheme } from "./theme.js";

const VIEWS = ["chat", "both", "engine"];
const RETRY_MS = 1000;

const store = new ConversationStore(browserStorage);
const engine = new EngineView({ needsKey });
const chat = new Chat({ changed: onChanged, needsKey });

function showList() {
  const actions = { open: openConversation, remove: removeConversation };
  showConversations(store.list(), chat.conversation?.id, actions);
}

function onChanged(conversation, structural) {
  if (!store.put(conversation)) notice("This conversation has become too long to be kept in the browser.");
  if (structural) showList();
}

function newConversation() {
  const settings = { ...DEFAULT_SETTINGS, ...(chat.conversation ?? store.list()[0])?.settings };
  const id = crypto.getRandomValues(new Uint32Array(3)).join("-");
  chat.open({ id, title: "", updated: 0, messages: [], settings });
  closeDrawer();
  showList();
}

function openConversation(id) {
  const conversation = store.get(id);
  if (conversation === null) return newConversation();
  conversation.settings = { ...DEFAULT_SETTINGS, ...conversation.settings };
  chat.open(conversation);
  closeDrawer();
  showList();
}

function removeConversation(conversation) {
  store.remove(conversation.id);
  if (conversation.id === chat.conversation.id) newConversation();
  showList();
  const undo = () => {
    store.put(conversation);
    openConversation(conversation.id);
  };
  notice(`Deleted “${conversation.title}”.`, { button: { label: "Undo", act: undo } });
}

function changeSettings() {
  openSettings(chat.conversation.settings, (settings) => {
    chat.conversation.settings = settings;
    chat.showSettings();
    onChanged(chat.conversation, false);
  });
}

function closeDrawer() {
  document.body.classList.remove("drawer");
  byId("open-conversations").setAttribute("aria-expanded", "false");
}

function showView() {
  const wanted = location.hash.slice(1);
  const view = VIEWS.includes(wanted) ? wanted : "chat";
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  closeDrawer();
  watchEngine();
}

// Only while somebody looks: a hidden page costs the engine nothing.
function watchEngine() {
  engine.watch(document.body.dataset.view !== "chat" && document.visibilityState === "visible");
}

// The server has refused what was asked without a key, or with the one that there is.
function needsKey() {
  byId("open-key").hidden = false;
  changeKey(apiKey() !== "");
}

function changeKey(refused) {
  openKey(refused, () => {
    connect();
    watchEngine();
  });
}

// Asks for the model's name until the server has one.
async function connect() {
  try {
    const model = await fetchModel();
    byId("model").textContent = model.id;
    document.title = `${model.id} · Quire`;
    notice("");
    engine.restart();
  } catch (error) {
    if (error.status === 401) return needsKey();
    const loading = error.status === 503;
    notice(loading ? "The model is being loaded." : "The server does not answer.", { seconds: 0 });
    setTimeout(connect, RETRY_MS);
  }
}

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, textarea");
  const key = event.code.replace(/^(Key|Digit)/, "");
  if (event.key === "Escape") chat.stop();
  else if (event.altKey && key === "N") newConversation();
  else if (event.altKey && ["1", "2", "3"].includes(key)) location.hash = VIEWS[Number(key) - 1];
  else if (event.key === "/" && !typing) chat.focus();
  else if (event.key === "?" && !typing) openShortcuts();
  else return;
  event.preventDefault();
}

function start() {
  byId("new-conversation").addEventListener("click", newConversation);
  byId("open-settings").addEventListener("click", changeSettings);
  byId("open-shortcuts").addEventListener("click", openShortcuts);
  byId("open-key").addEventListener("click", () => changeKey(false));
  byId("open-conversations").addEventListener("click", () => {
    const open = document.body.classList.toggle("drawer");
    byId("open-conversations").setAttribute("aria-expanded", String(open));
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", ({ target }) => {
    if (!target.closest("#conversations, #open-conversations")) closeDrawer();
  });
  document.addEventListener("visibilitychange", watchEngine);
  addEventListener("hashchange", showView);
  startTheme(() => engine.recolour());
  const [latest] = store.list();
  if (latest) openConversation(latest.id);
  else newConversation();
  showView();
  connect();
}

start();
