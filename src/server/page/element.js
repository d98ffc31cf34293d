// Builds elements. Text always becomes a text node, so nothing that a model or a user wrote is ever markup.

// element("a", {class: "x", href: "#y", onclick: f}, "text", child, ...). Attributes that are false, null or
// undefined are left out; true ones are set without a value; functions are listeners.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}
