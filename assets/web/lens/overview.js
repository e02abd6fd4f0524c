// The whole batch in small: a strip a row, of its targets' roles; a click jumps there.
import { attrs, el } from "../parts.js";
import { roleColor } from "../roles.js";
import { MASK_STEP } from "./batch.js";

export class Overview {
  /** `jump` is called with a row and a column. */
  constructor(jump) {
    this.strips = attrs(el("div", "overview"), { "aria-hidden": "true" });
    this.strips.addEventListener("click", event => {
      const strip = event.target.closest("[data-row]");
      if (!strip) return;
      const { left, width } = strip.getBoundingClientRect();
      jump(Number(strip.dataset.row), Math.floor((this.width * (event.clientX - left)) / width));
    });
    this.node = el("div", "", el("p", "muted", "The whole batch, targets only: choose a place to jump there."));
    this.node.append(this.strips);
  }

  draw(batch, step) {
    this.width = batch.view.width;
    const strips = batch.rows.map((_, row) => {
      const strip = el("div", "", ...batch.stretches(row).map(one => part(one, step)));
      strip.dataset.row = row;
      return strip;
    });
    this.strips.replaceChildren(...strips);
  }
}

function part({ size, role, isTrained }, step) {
  const node = el("i", isTrained || step < MASK_STEP ? "" : "m");
  node.style.cssText = `flex-grow:${size};--c:${roleColor(role)}`;
  return node;
}
