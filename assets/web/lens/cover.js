// The class guesses: targets are covered until one is guessed, or shown without a guess.
import { attrs, el } from "../parts.js";

const OFF = "Cover targets";

const bare = text => text.replace(/^·/, "").trim().toLowerCase();

/** Whether a guess is one of the names of a target (`Batch.namesOf`): case and the space before a word don't matter. */
export const isRight = (text, names) => Boolean(bare(text)) && names.map(bare).includes(bare(text));

/** What the button says: how many guesses were right, and how many targets were shown without one. */
export function tally({ right, guessed, shown }) {
  const parts = ["Covered", guessed && `${right} of ${guessed} right`, shown && `${shown} shown`];
  return parts.filter(Boolean).join(" · ");
}

export class Cover {
  /** `changed` is called when other cells are covered. */
  constructor(changed) {
    Object.assign(this, { changed, isOn: false, open: new Set(), about: "" });
    this.forget();
    this.button = attrs(el("button", "plain-btn", OFF), { type: "button", "aria-pressed": "false" });
    this.button.title = "The class guesses: type a guess below the grid, or uncover with a click or Space";
    this.button.onclick = () => this.toggle();
  }

  /** What was guessed counts as long as the targets are covered, also over other rows. */
  forget() {
    Object.assign(this, { count: { right: 0, guessed: 0, shown: 0 }, verdict: null });
    this.open.clear();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.forget();
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

  /** Uncover a target without a guess; returns whether it was covered. */
  uncover(row, t) {
    if (!this.hides(row, t)) return false;
    this.count.shown += 1;
    this.#lift(row, t);
    return true;
  }

  /** Uncover a target with what the class says; names: what is right. */
  guess(row, t, text, names) {
    if (!this.hides(row, t) || !bare(text)) return;
    const right = isRight(text, names);
    this.count.guessed += 1;
    this.count.right += right;
    this.#lift(row, t);
    this.verdict = { row, t, text: right ? `✓ “${text.trim()}” is right.` : `✗ The guess was “${text.trim()}”.` };
  }

  /** What came of the guess at a target; empty where there was none just now. */
  verdictOn(row, t) {
    return this.verdict?.row === row && this.verdict.t === t ? this.verdict.text : "";
  }

  #lift(row, t) {
    this.open.add(`${row}/${t}`);
    this.verdict = null;
    this.show();
  }

  show() {
    this.button.setAttribute("aria-pressed", this.isOn);
    this.button.textContent = this.isOn ? tally(this.count) : OFF;
  }
}
