// What the browser keeps for this page; where it is told to keep nothing, a stand-in that lasts as long as
// the page.

class PageStorage {
  #kept = new Map();

  get length() {
    return this.#kept.size;
  }

  key(i) {
    return [...this.#kept.keys()][i] ?? null;
  }

  getItem(name) {
    return this.#kept.get(name) ?? null;
  }

  setItem(name, text) {
    this.#kept.set(name, text);
  }

  removeItem(name) {
    this.#kept.delete(name);
  }
}

function usable(open) {
  try {
    const storage = open();
    storage.getItem("quire");
    return storage;
  } catch {
    return new PageStorage();
  }
}

export const browserStorage = usable(() => localStorage);
export const tabStorage = usable(() => sessionStorage);
