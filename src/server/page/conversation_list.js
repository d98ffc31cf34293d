// The list of conversations beside the chat.
import { byId, element } from "./element.js";

function age(updated) {
  const minutes = Math.floor((Date.now() - updated) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / (24 * 60))} d`;
}

// `actions`: {open(id), remove(conversation)}.
export function showConversations(conversations, currentId, actions) {
  const rows = conversations.map((conversation) => {
    const open = element(
      "button",
      {
        type: "button",
        class: "conversation",
        "aria-current": conversation.id === currentId ? "true" : null,
        onclick: () => actions.open(conversation.id),
      },
      element("span", { class: "title" }, conversation.title || "Untitled"),
      element("span", { class: "fine" }, age(conversation.updated)),
    );
    const remove = element(
      "button",
      {
        type: "button",
        class: "icon remove",
        "aria-label": `Delete “${conversation.title}”`,
        onclick: () => actions.remove(conversation),
      },
      "×",
    );
    return element("li", {}, open, remove);
  });
  byId("conversation-list").replaceChildren(...rows);
}
