// Which columns and rows are shown, with buttons for others where not all fit.
import { attrs, el, write } from "../parts.js";
import { COLUMNS, ROWS } from "./pane.js";

function small(text, name, act) {
  const node = attrs(el("button", "small-btn", text), { type: "button", "aria-label": name });
  node.onclick = act;
  return node;
}

export class Paging {
  /** `changed` is called after a button has changed the pane. */
  constructor(pane, batch, changed) {
    const on = act => () => {
      act();
      changed();
    };
    const shift = by => on(() => pane.shift(by));
    const turn = by => on(() => pane.turn(by, batch()));
    this.earlier = small("←", "← earlier", shift(-1));
    this.later = small("→", "later →", shift(1));
    this.less = small("↑", "↑ rows", turn(-1));
    this.more = small("↓", "↓ rows", turn(1));
    this.columns = el("span");
    this.rows = el("span");
    this.byColumns = el("span", "pages", this.earlier, this.columns, this.later);
    this.byRows = el("span", "pages", this.less, this.rows, this.more);
    this.node = el("span", "paging", this.byRows, this.byColumns);
  }

  draw(pane, batch) {
    const [start, end] = pane.span(batch);
    const width = pane.width(batch);
    const total = batch.rows.length;
    this.byColumns.hidden = width - pane.folded <= COLUMNS;
    this.earlier.disabled = pane.from === 0;
    this.later.disabled = end >= width;
    write(this.columns, `columns ${start}–${end - 1} of ${width}`);
    this.byRows.hidden = total <= ROWS;
    this.less.disabled = pane.above === 0;
    this.more.disabled = pane.above + ROWS >= total;
    write(this.rows, `rows ${pane.above + 1}–${pane.above + pane.rows(batch).length} of ${total}`);
  }
}
