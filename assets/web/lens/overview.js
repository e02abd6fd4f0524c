// The rows on the screen in small: a strip each, of its targets' roles, and a frame around the columns in view.
// A click jumps there, dragging and the arrow keys scroll.
import { attrs, el, renew } from "../parts.js";
import { roleColor } from "../roles.js";
import { MASK_STEP } from "./batch.js";

export class Overview {
  /** `jump` is called with a row and a column, `scroll` with a column that is to be in the middle. */
  constructor(jump, scroll) {
    Object.assign(this, { jump, scroll, width: 1, from: 0, to: 1, isDragged: false });
    this.frame = el("div", "frame");
    this.strips = el("div", "overview");
    this.node = attrs(el("div", "map", el("div", "box", this.strips, this.frame)), {
      role: "slider",
      tabindex: 0,
      "aria-label": "The whole batch: columns in view",
      "aria-valuemin": 0,
    });
    this.#listen();
  }

  draw(batch, step, rows) {
    this.width = batch.view.width;
    const strips = rows.map(row => {
      const strip = el("div", "", ...batch.stretches(row).map(one => part(one, step)));
      strip.dataset.row = row;
      return strip;
    });
    renew(this.strips, strips);
    attrs(this.node, { "aria-valuemax": this.width - 1 });
  }

  /** The columns that are in view, from the first to the one after the last. */
  see(from, to) {
    Object.assign(this, { from, to });
    const share = value => `${(100 * Math.max(0, Math.min(value, this.width))) / this.width}%`;
    Object.assign(this.frame.style, { left: share(from), width: share(Math.max(0, to - from)) });
    const text = `columns ${from} to ${to - 1} of ${this.width}`;
    attrs(this.node, { "aria-valuenow": from, "aria-valuetext": text });
  }

  #listen() {
    const { node, strips } = this;
    const column = ({ clientX }) => {
      const { left, width } = strips.getBoundingClientRect();
      return Math.max(0, Math.min(this.width - 1, Math.floor((this.width * (clientX - left)) / width)));
    };
    node.addEventListener("pointerdown", event => {
      this.isDragged = false;
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", event => {
      if (!node.hasPointerCapture(event.pointerId)) return;
      this.isDragged ||= Math.abs(event.movementX) > 0;
      if (this.isDragged) this.scroll(column(event));
    });
    node.addEventListener("click", event => {
      const row = [...strips.children].find(strip => strip.getBoundingClientRect().bottom >= event.clientY);
      if (!this.isDragged && row) this.jump(Number(row.dataset.row), column(event));
    });
    node.addEventListener("keydown", event => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation(); // the grid's keys
      this.scroll((this.from + this.to) / 2 + by * Math.ceil((this.to - this.from) / 2));
    });
  }
}

function part({ size, role, isTrained }, step) {
  const node = el("i", isTrained || step < MASK_STEP ? "" : "m");
  node.style.cssText = `flex-grow:${size};--c:${roleColor(role)}`;
  return node;
}
