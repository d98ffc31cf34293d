// Conversations in the browser's storage, one entry each, so that two tabs do not overwrite each other's.
// Bounded: the conversations not used for longest make room.
//
// A conversation: {id, title, updated, messages: [{role, content, ...}], settings}.

const PREFIX = "quire.conversation.";

export class ConversationStore {
  #storage;
  #limits;

  // `storage` as localStorage. Characters, not bytes: what browsers count, at two bytes each.
  constructor(storage, limits = { conversations: 200, characters: 2_000_000 }) {
    this.#storage = storage;
    this.#limits = limits;
  }

  // The newest first. Entries that cannot be read are left out.
  list() {
    return this.#ids()
      .map((id) => this.get(id))
      .filter((conversation) => conversation !== null)
      .sort((a, b) => b.updated - a.updated);
  }

  get(id) {
    try {
      const conversation = JSON.parse(this.#storage.getItem(PREFIX + id));
      return Array.isArray(conversation?.messages) ? conversation : null;
    } catch {
      return null;
    }
  }

  // False if it does not fit even alone. One without messages is not worth a place.
  put(conversation) {
    if (conversation.messages.length === 0) return true;
    const text = JSON.stringify(conversation);
    if (text.length > this.#limits.characters) return false;
    this.#makeRoom(conversation.id, text.length);
    for (;;) {
      try {
        this.#storage.setItem(PREFIX + conversation.id, text);
        return true;
      } catch {
        // The browser's own limit, which other pages of this origin share.
        if (!this.#dropOldest(conversation.id)) return false;
      }
    }
  }

  remove(id) {
    this.#storage.removeItem(PREFIX + id);
  }

  #ids() {
    const ids = [];
    for (let i = 0; i < this.#storage.length; ++i) {
      const key = this.#storage.key(i);
      if (key.startsWith(PREFIX)) ids.push(key.slice(PREFIX.length));
    }
    return ids;
  }

  #makeRoom(id, characters) {
    const others = this.#ids().filter((other) => other !== id);
    let total = characters;
    for (const other of others) total += this.#storage.getItem(PREFIX + other).length;
    let count = others.length + 1;
    while (count > this.#limits.conversations || total > this.#limits.characters) {
      const dropped = this.#dropOldest(id);
      if (dropped === 0) return;
      total -= dropped;
      --count;
    }
  }

  // Its characters; 0 if there is none but `id`. What cannot be read goes first.
  #dropOldest(id) {
    let oldest = null;
    for (const other of this.#ids()) {
      const updated = this.get(other)?.updated ?? 0;
      if (other !== id && (oldest === null || updated < oldest.updated)) oldest = { id: other, updated };
    }
    if (oldest === null) return 0;
    const { length } = this.#storage.getItem(PREFIX + oldest.id);
    this.remove(oldest.id);
    return length;
  }
}
