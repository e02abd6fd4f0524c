// Pieces of the page. Data reaches it only as textContent.

/** A node with a class and children; children that are strings become text. */
export function el(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** The node with these attributes; what it has already is not written again, which would cost the browser a restyle. */
export function attrs(node, values) {
  for (const [name, value] of Object.entries(values)) {
    if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
  return node;
}

/** A node's text; the same text again would be laid out again. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A button that does something. */
export function button(text, act) {
  const node = el("button", "ift-btn", text);
  node.type = "button";
  node.onclick = act;
  return node;
}

/** A number and what it is. */
export const tile = (value, text, ...more) => el("div", "tile", el("b", "", value), el("span", "", text), ...more);

/** A table with a head of [title, class] a column. */
export function table(head, rows, ...before) {
  const titles = head.map(([title, kind]) => el("th", kind, title));
  return el("table", "", ...before, el("thead", "", el("tr", "", ...titles)), el("tbody", "", ...rows));
}

/** A table that scrolls in a box of its own, also by keyboard. */
export const scroll = (name, child) =>
  attrs(el("div", "scroll", child), { tabindex: 0, role: "region", "aria-label": name });

/** How far something is. */
export function progress(name, done, total) {
  const fill = el("i");
  fill.style.width = `${total ? (100 * done) / total : 0}%`;
  const values = { role: "progressbar", "aria-valuenow": done, "aria-valuemax": total, "aria-label": name };
  return attrs(el("div", "prog", fill), values);
}

/** Replace a node's children where they differ: the browser lays out again only what moved. */
export function fill(parent, nodes) {
  const { childNodes } = parent;
  const isSame = childNodes.length === nodes.length && nodes.every((node, i) => childNodes[i] === node);
  if (!isSame) parent.replaceChildren(...nodes);
}

/** Replace a node's children by others that nobody listens to, unless they look the same. */
export function renew(parent, nodes) {
  const { childNodes } = parent;
  const isSame = childNodes.length === nodes.length && nodes.every((node, i) => childNodes[i].isEqualNode(node));
  if (!isSame) parent.replaceChildren(...nodes);
}

/** Replace a node's children by others that stand for the same; the focus stays at its place among their buttons. */
export function redraw(parent, nodes) {
  const at = [...parent.children].findIndex(node => node.contains(document.activeElement));
  parent.replaceChildren(...nodes);
  const next = parent.children[at];
  (next?.matches("button") ? next : next?.querySelector("button"))?.focus({ preventScroll: true });
}

/** What `find` finds, once there is something: Gradio mounts what it likes first. */
export async function until(find) {
  for (;;) {
    const found = find();
    if (found) return found;
    await new Promise(done => setTimeout(done, 30));
  }
}
