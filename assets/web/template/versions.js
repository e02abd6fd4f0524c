// Undo and redo over everything that was in the template's box, kept in the browser.
import { flushed, keep, onFlush } from "../link.js";
import { attrs, button, el } from "../parts.js";
import { Texts } from "./texts.js";

const KEY = "ift-templates";
const LISTED = 12;
const SAVE_AFTER = 300; // milliseconds

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) || "[]");
    return found.filter(one => typeof one?.text === "string" && Number.isFinite(one.time) && one.id);
  } catch {
    return [];
  }
}

const firstLine = text => text.split("\n").find(line => line.trim()) || "(empty)";

function tool(text, name, act) {
  const node = attrs(el("button", "icon-btn", text), { type: "button", "aria-label": name, title: name });
  node.onclick = act;
  return node;
}

export class Versions {
  constructor(box) {
    this.box = box;
    this.texts = new Texts(stored());
    this.timer = 0;
    this.undo = tool("↶", "Undo (Ctrl+Z)", () => this.show(this.texts.undo()));
    this.redo = tool("↷", "Redo (Ctrl+Shift+Z)", () => this.show(this.texts.redo()));
    this.list = el("div", "earlier");
    box.addEventListener("keydown", event => this.press(event));
    box.addEventListener("input", event => {
      if (!event.isOurs) this.note(true);
    });
    onFlush(() => this.save());
    this.note(false);
  }

  /** The box has another text; `isTyped`: by its own keys. */
  note(isTyped) {
    const { value } = this.box;
    if (isTyped) this.texts.typed(value, Date.now());
    else if (value !== this.texts.text) this.texts.replaced(value, Date.now());
    this.changed();
  }

  /** Put a text of the list into the box, as if it were typed. */
  show(text) {
    if (text === null) return;
    this.box.value = text;
    const event = new Event("input", { bubbles: true });
    event.isOurs = true;
    this.box.dispatchEvent(event);
    this.changed();
  }

  press(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !"zy".includes(key)) return;
    event.preventDefault(); // the browser's own undo knows nothing of presets and files
    this.show(key === "y" || event.shiftKey ? this.texts.redo() : this.texts.undo());
  }

  changed() {
    const { texts } = this;
    this.undo.disabled = !texts.canUndo;
    this.redo.disabled = !texts.canRedo;
    keep("text", { template: texts.text });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER);
  }

  /** Fill the menu's list of earlier templates. */
  drawList() {
    const found = this.texts.left(LISTED).map(text => {
      const one = button(firstLine(text), () => {
        this.texts.replaced(text, Date.now());
        this.show(text);
      });
      one.title = text;
      return one;
    });
    this.list.replaceChildren(...(found.length ? [el("p", "", "Earlier templates"), ...found] : []));
  }

  save() {
    clearTimeout(this.timer);
    const all = this.texts.mergedWith(stored());
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch (error) {
      console.info("the browser keeps no more templates", error);
    }
    flushed();
  }
}
