// Which part of the batch is shown, and which position is pinned. No DOM.
import { FORMAT, linesOf, MASK_STEP, STEPS } from "./batch.js";

export const COLUMNS = 64; // shown at once
export const ROWS = 8;

/** A place as the name of its cell, and back. */
export const keyOf = ({ row, kind, t }) => `${row}/${kind}/${t}`;
export function placeOf(key) {
  const [row, kind, t] = key.split("/");
  return { row: Number(row), kind, t: Number(t) };
}

/** A link may say anything. */
const isPosition = value => Number.isInteger(value) && value >= 0;

export class Pane {
  /**
   * step: 1 to 5. fold: whether the shared prefix is one column. labels: whether targets are shown as Hugging Face has
   * them. All as a link says, or the defaults.
   */
  constructor({ step, fold, labels } = {}) {
    this.step = isPosition(step) && STEPS[step - 1] ? step : MASK_STEP;
    this.fold = fold !== false;
    this.asLabels = labels === true;
    this.folded = 0; // columns of the shared prefix that are folded
    this.from = 0; // first column shown, after those
    this.above = 0; // rows before the first one shown
    this.pin = null; // {row, kind, t}
  }

  get isText() {
    return this.step === FORMAT;
  }

  /** Whether a row has inputs and targets, one above the other. */
  get isPair() {
    return linesOf(this.step, this.asLabels)[0] === "input";
  }

  /** Whether the lines have targets: there losses can be shown, and cells be covered. */
  get hasTargets() {
    return linesOf(this.step).length === 2;
  }

  kinds(batch) {
    return batch.kinds(this.step, this.asLabels);
  }

  width(batch) {
    return batch.width(this.step, this.asLabels);
  }

  rows(batch) {
    return Array.from({ length: Math.min(ROWS, batch.rows.length - this.above) }, (_, i) => this.above + i);
  }

  /** [first column shown after the folded ones, the one after the last]. */
  span(batch) {
    const start = this.folded + this.from;
    return [start, Math.min(this.width(batch), start + COLUMNS)];
  }

  prefix(batch) {
    return this.fold ? batch.sharedPrefix : 0;
  }

  /** Fit a batch: rows and columns that it does not have are not shown. Returns by how much the folded prefix grew. */
  fit(batch) {
    const before = this.folded;
    this.folded = this.prefix(batch);
    if (this.from >= this.width(batch) - this.folded) this.from = 0;
    const grown = before && this.folded ? this.folded - before : 0;
    if (grown) this.#movePin(grown, this.width(batch));
    return grown;
  }

  /** What is pinned stays the same token. */
  #movePin(by, width) {
    if (this.pin && this.pin.t + by < width) this.pin = { ...this.pin, t: Math.max(0, this.pin.t + by) };
  }

  /** Another step: the same position, on that step's first line. */
  go(step) {
    const kind = linesOf(step, this.asLabels)[0];
    if (this.pin && kind) this.pin = { ...this.pin, kind };
    this.step = step;
  }

  /** Targets as Hugging Face has them, or as this project does: the token that was the pinned target still is. */
  showLabels(asLabels, batch) {
    const wasPair = this.isPair;
    this.asLabels = asLabels;
    if (!this.pin || wasPair === this.isPair) return;
    const t = Math.min(this.width(batch) - 1, Math.max(0, this.pin.t + (wasPair ? 1 : -1)));
    this.pin = { ...this.pin, kind: linesOf(this.step, asLabels)[0], t };
  }

  /** Other rows. */
  turn(pages, batch) {
    const last = Math.floor((batch.rows.length - 1) / ROWS) * ROWS;
    this.above = Math.max(0, Math.min(last, this.above + pages * ROWS));
  }

  /** Columns before or after those shown. */
  shift(pages) {
    this.from = Math.max(0, this.from + pages * COLUMNS);
  }

  /** Bring a place into the window, at the nearest column there is. Returns it, and whether anything has moved. */
  reveal({ row, kind, t }, batch) {
    const place = { row, kind, t: Math.max(this.folded, Math.min(this.width(batch) - 1, t)) };
    const isShown = this.#has(place, batch);
    if (!isShown) {
      this.#center(place);
      this.pin = place;
    }
    return { place, moved: !isShown };
  }

  /** Pin the place that a link points to, if the batch has it. */
  restore([row, kind, t], batch) {
    const isThere = isPosition(row) && row < batch.rows.length && isPosition(t) && t < this.width(batch);
    if (!isThere || !this.kinds(batch).includes(kind)) return;
    this.pin = { row, kind, t };
    if (t < this.prefix(batch)) this.fold = false;
    this.folded = this.prefix(batch);
    this.#center(this.pin);
  }

  /** See that something shown is pinned, if there is anything. Returns whether another place had to be taken. */
  pinShown(batch) {
    if (this.pin && this.#has(this.pin, batch) && this.kinds(batch).includes(this.pin.kind)) return false;
    this.pin = this.#first(batch);
    return true;
  }

  /** The first target that counts, or the place that was pinned in another step. */
  #first(batch) {
    const kind = linesOf(this.step, this.asLabels)[0];
    if (this.pin && this.#has(this.pin, batch)) return { ...this.pin, kind };
    const [start, end] = this.span(batch);
    const found = batch.firstTrained(this.rows(batch), start, end);
    if (found) return { ...found, kind };
    return batch.rows.length ? { row: this.above, t: start, kind } : null;
  }

  #has({ row, t }, batch) {
    const [start, end] = this.span(batch);
    return this.rows(batch).includes(row) && t >= start && t < end;
  }

  #center({ row, t }) {
    this.above = Math.floor(row / ROWS) * ROWS;
    this.from = Math.max(0, Math.floor((t - this.folded) / COLUMNS) * COLUMNS);
  }
}
