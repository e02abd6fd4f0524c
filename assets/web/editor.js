// Beside the template's box: placeholders in their roles' colors, the template as a file, the view as a link.
import { HIDES, makeLink } from "./link.js";
import { attrs, button, el, until } from "./parts.js";
import { pieces } from "./placeholders.js";
import { onTheme } from "./theme.js";

const PAINT_EVERY = 250; // milliseconds: presets, files and links fill the box without an event
const COPIED = ["font", "lineHeight", "padding", "letterSpacing", "tabSize"];

/** The same text behind the box, in color; the box's own background is clear. */
class Backdrop {
  constructor(box) {
    Object.assign(this, { box, text: null, size: "" });
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
    const nodes = pieces(box.value).map(({ text, role }) => (role ? el("mark", `role-${role}`, text) : text));
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

/** A link to the view, with a choice of what it hides. */
function sharing() {
  const status = attrs(el("span", "muted"), { role: "status" });
  const address = attrs(el("input"), { readonly: "", "aria-label": "The link" });
  address.hidden = true;
  const ticks = HIDES.map(name => attrs(el("input"), { type: "checkbox", name }));
  const copy = async () => {
    address.value = makeLink(ticks.filter(tick => tick.checked).map(tick => tick.name));
    address.hidden = false;
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
      status.textContent = "Copied.";
    } catch {
      status.textContent = "Copy it from the box.";
    }
  };
  const about = "It restores template, rows, switches, step and position. For a class, leave out what would distract:";
  const labels = ticks.map(tick => el("label", "", tick, ` without the ${tick.name}`));
  const title = el("summary", "", "Share a link");
  return el(
    "details",
    "share",
    title,
    el("p", "muted", about),
    ...labels,
    button("Copy the link", copy),
    status,
    address,
  );
}

/** The component. */
export async function editor(element) {
  const box = await until(() => document.querySelector("#template textarea"));
  new Backdrop(box);
  element.querySelector(".editor").append(
    button("Save as a file", () => save(box.value)),
    sharing(),
  );
}
