// Which columns and rows are shown, and buttons for others.
import { button, el } from "../parts.js";
import { COLUMNS, ROWS } from "./pane.js";

export class Paging {
  /** `changed` is called after a button has changed the pane. */
  constructor(pane, batch, changed) {
    const on = act => () => {
      act();
      changed();
    };
    this.fold = button(
      "Fold the shared prefix",
      on(() => {
        pane.fold = !pane.fold;
        pane.from = 0;
      }),
    );
    this.earlier = button(
      "← earlier",
      on(() => pane.shift(-1)),
    );
    this.later = button(
      "later →",
      on(() => pane.shift(1)),
    );
    this.less = button(
      "↑ rows",
      on(() => pane.turn(-1, batch())),
    );
    this.more = button(
      "↓ rows",
      on(() => pane.turn(1, batch())),
    );
    this.columns = el("span", "muted");
    this.rows = el("span", "muted");
    const columns = [this.earlier, this.columns, this.later];
    this.node = el("div", "row", this.fold, ...columns, this.less, this.rows, this.more);
  }

  draw(pane, batch) {
    const [start, end] = pane.span(batch);
    const width = batch.width(pane.step);
    const total = batch.rows.length;
    this.fold.setAttribute("aria-pressed", pane.fold);
    for (const one of [this.earlier, this.later]) one.hidden = width - pane.folded <= COLUMNS;
    this.earlier.disabled = pane.from === 0;
    this.later.disabled = end >= width;
    this.columns.textContent = `columns ${start} to ${end - 1} of ${width}`;
    for (const one of [this.less, this.more, this.rows]) one.hidden = total <= ROWS;
    this.less.disabled = pane.above === 0;
    this.more.disabled = pane.above + ROWS >= total;
    this.rows.textContent = `rows ${pane.above + 1} to ${pane.above + pane.rows(batch).length} of ${total}`;
  }
}
