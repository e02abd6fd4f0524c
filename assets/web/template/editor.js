// The template's box: placeholders in their roles' colors, the template as a file.
import { attrs, button, el, until } from "../parts.js";
import { foldButton } from "../rail.js";
import { onTheme } from "../theme.js";
import { pieces } from "./placeholders.js";
import { Versions } from "./versions.js";

const PAINT_EVERY = 250; // milliseconds: presets, files and links fill the box without an event
const COPIED = ["font", "lineHeight", "padding", "letterSpacing", "tabSize"];

/** The same text behind the box, in color; the box's own background is clear. */
class Backdrop {
  /** `changed` is called when the box has another text, whoever put it there. */
  constructor(box, changed) {
    Object.assign(this, { box, changed, text: null, size: "" });
    this.node = attrs(el("pre", "ift behind"), { "aria-hidden": "true" });
    box.parentElement.classList.add("colored");
    box.before(this.node);
    for (const event of ["input", "scroll"]) box.addEventListener(event, () => this.paint());
    this.timer = setInterval(() => this.paint(), PAINT_EVERY);
    onTheme(this.node, () => {
      this.size = ""; // the projector's type is larger
      this.paint();
    });
    this.paint();
  }

  paint() {
    const { box, node } = this;
    if (!box.isConnected) {
      clearInterval(this.timer);
      return;
    }
    node.scrollTop = box.scrollTop;
    this.fit();
    if (box.value === this.text) return;
    this.text = box.value;
    this.changed();
    const nodes = pieces(box.value).map(({ text, role, isWrong }) =>
      role || isWrong ? el("mark", isWrong ? "wrong" : `role-${role}`, text) : text,
    );
    node.replaceChildren(...nodes, "\n");
  }

  fit() {
    const { box, node } = this;
    const size = `${box.clientWidth}×${box.clientHeight}`;
    if (size === this.size) return;
    this.size = size;
    const style = getComputedStyle(box);
    for (const name of COPIED) node.style[name] = style[name];
    Object.assign(node.style, {
      width: `${box.clientWidth}px`,
      height: `${box.clientHeight}px`,
      left: `${box.offsetLeft + box.clientLeft}px`,
      top: `${box.offsetTop + box.clientTop}px`,
    });
  }
}

function save(text) {
  const link = el("a");
  const file = new Blob([`${text}\n`], { type: "text/plain" }); // a file's last line break is not template
  link.href = URL.createObjectURL(file);
  link.download = "template.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The component: what can be done with the template, in one line. */
export async function editor(element) {
  const box = await until(() => document.querySelector("#template textarea"));
  const versions = new Versions(box);
  new Backdrop(box, () => versions.note(false));
  const menu = el("details", "menu");
  const entries = [
    button("Save as a file", () => save(box.value)),
    button("Load a file", () => document.querySelector("#load-template").click()),
  ];
  const title = attrs(el("summary", "icon-btn", "⋯"), { "aria-label": "The template's file and versions" });
  menu.append(title, el("div", "entries", ...entries, versions.list));
  menu.addEventListener("toggle", () => versions.drawList());
  menu.addEventListener("click", event => {
    if (event.target.closest(".entries button")) menu.open = false;
  });
  element.querySelector(".editor").append(versions.undo, versions.redo, menu, foldButton());
}
