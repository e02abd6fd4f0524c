// The class guesses: targets are covered until one is asked for.
import { attrs, el } from "../parts.js";

const OFF = "Cover targets";

export class Cover {
  /** `changed` is called when other cells are covered. */
  constructor(changed) {
    Object.assign(this, { changed, isOn: false, open: new Set(), about: "" });
    this.button = attrs(el("button", "plain-btn", OFF), { type: "button", "aria-pressed": "false" });
    this.button.title = "The class guesses; a click or Space uncovers one";
    this.button.onclick = () => this.toggle();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.open.clear();
    this.show();
    this.changed();
  }

  /** Another batch: what was uncovered in rows that are not there any more is forgotten. */
  take(batch, hasTargets) {
    const about = `${batch.view.text}/${batch.rows}`;
    if (about !== this.about) this.open.clear();
    this.about = about;
    this.button.disabled = !hasTargets;
    this.show();
  }

  /** Whether the target that the input at t predicts is hidden. */
  hides(row, t) {
    return this.isOn && !this.button.disabled && !this.open.has(`${row}/${t}`);
  }

  /** Returns whether it was covered. */
  uncover(row, t) {
    if (!this.hides(row, t)) return false;
    this.open.add(`${row}/${t}`);
    this.show();
    return true;
  }

  show() {
    this.button.setAttribute("aria-pressed", this.isOn);
    this.button.textContent = this.isOn ? `Covered · ${this.open.size} open` : OFF;
  }
}
