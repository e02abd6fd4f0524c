// The batch, cell by cell. Nodes stay; only what differs is written, since every key in the template redraws.
import { attrs, el, fill, write } from "../parts.js";
import { roleClass } from "../roles.js";
import { scale } from "../theme.js";
import { Arrows } from "./arrows.js";
import { columnsOn, isTarget, linesOf, MASK_STEP } from "./batch.js";
import { columnPx, FOLDED_PX, labelPx } from "./columns.js";
import { COLUMNS, keyOf, placeOf } from "./pane.js";
import { spoken, spokenCovered } from "./sentences.js";

const FOLDED = "fold"; // in the key of a line's folded cell, in place of its position
const ENDED = "/none"; // after the key of a cell whose row has ended

export class Grid {
  /**
   * pane: what is shown. losses: what a target's loss is, and whether losses are shown (losses.js). cover: which
   * targets are hidden (cover.js). `fold` is called by the button in the head.
   */
  constructor(pane, losses, cover, fold) {
    Object.assign(this, { pane, losses, cover, batch: null, widths: [], template: "" });
    Object.assign(this, { cells: new Map(), lines: new Map(), heads: new Map() });
    this.foldButton = attrs(el("button"), { type: "button", "aria-label": "Fold the shared prefix" });
    this.foldButton.title = "The template text that all rows begin with (F)";
    this.foldButton.onclick = fold;
    this.head = attrs(el("div", "line head"), { role: "row" });
    this.arrows = new Arrows();
    this.node = attrs(el("div", "g"), { role: "grid", "aria-label": "Input and target tensors" });
  }

  cellAt(place) {
    return place && this.cells.get(keyOf(place));
  }

  /** Draw a batch; `sees` limits that to the cells for which it is true, of those that are there. */
  draw(batch, sees = null) {
    const { pane, node } = this;
    this.batch = batch;
    const grown = pane.fit(batch);
    if (grown) this.#move(grown);
    const [start, end] = pane.span(batch);
    const rows = pane.rows(batch);
    const kinds = pane.kinds(batch);
    this.#forget(rows, kinds, start, end);
    this.#setColumns(rows, start, end, sees);
    attrs(node, {
      "aria-rowcount": batch.rows.length * kinds.length + 1,
      "aria-colcount": pane.width(batch),
    });
    this.#drawHead(start, end);
    const lines = rows.flatMap(row => kinds.map(kind => this.#drawLine(row, kind, start, end, sees)));
    this.#keepFocus(() => fill(node, [this.head, ...lines, this.arrows.node]));
  }

  /** Mark a position, what the model sees of it, and draw its arrows. The cell in the Tab order is this one. */
  mark(place) {
    const marks = this.#marks(place);
    const stop = place && keyOf(place);
    for (const [t, node] of this.heads) node.classList.toggle("on", t === place?.t);
    for (const [key, node] of this.cells) setMark(node, marks.get(key), key === stop ? 0 : -1);
    this.arrows.draw(this.pane.isPair ? place : null, this.batch, this.cells);
  }

  /**
   * For a redraw at a key, which must show at once: which cells are on the screen, from where they were, as a function
   * of row (or null for any) and column. Null where there is nothing to go by, and all must be drawn.
   */
  onScreen(batch, wrap) {
    const { pane } = this;
    const start = pane.prefix(batch);
    const first = start + pane.from;
    const last = Math.min(pane.width(batch), first + COLUMNS);
    if (last - first !== this.widths.length || Boolean(start) !== Boolean(pane.folded)) return null;
    const columns = this.#columnsSeen(first, start, wrap);
    const rows = this.#rowsSeen(batch, wrap);
    return (row, t) => columns.has(t) && (row === null || rows.has(row));
  }

  #columnsSeen(first, folded, wrap) {
    const left = wrap.scrollLeft;
    const right = left + wrap.clientWidth;
    const seen = new Set();
    let x = this.head.firstChild.offsetWidth + (folded ? FOLDED_PX * scale() : 0);
    this.widths.forEach((width, i) => {
      if (x + width > left && x < right) seen.add(first + i);
      x += width;
    });
    return seen;
  }

  #rowsSeen(batch, wrap) {
    const top = wrap.scrollTop;
    const bottom = top + wrap.clientHeight;
    const kinds = this.pane.kinds(batch);
    const isSeen = row => {
      const [first, last] = [kinds[0], kinds.at(-1)].map(kind => this.lines.get(`${row}/${kind}`));
      if (!first?.isConnected || !last?.isConnected) return true;
      return first.offsetTop < bottom && last.offsetTop + last.offsetHeight > top;
    };
    return new Set(this.pane.rows(batch).filter(isSeen));
  }

  /** The folded prefix grew: all that follows keeps its cell. */
  #move(by) {
    const moved = [...this.cells].map(([key, node]) => {
      const [row, kind, t, ...ended] = key.split("/");
      const place = t === FOLDED ? key : [row, kind, Number(t) + by, ...ended].join("/");
      if (node.dataset.key) node.dataset.key = place;
      return [place, node];
    });
    this.cells = new Map(moved);
  }

  #forget(rows, kinds, start, end) {
    for (const key of this.cells.keys()) {
      const { row, kind, t } = placeOf(key);
      const isShown = Number.isNaN(t) || (t >= start && t < end); // the folded cell has no position
      if (!(rows.includes(row) && kinds.includes(kind) && isShown)) this.cells.delete(key);
    }
  }

  #setColumns(rows, start, end, sees) {
    const { batch, pane, widths } = this;
    const k = scale();
    const about = { kinds: linesOf(pane.step, pane.asLabels), hasLosses: this.losses.on, scale: k };
    const fresh = [];
    for (let t = start; t < end; t++) {
      const isKept = sees && !sees(null, t);
      fresh.push(isKept ? widths[t - start] : columnPx(batch, pane.step, rows, t, about));
    }
    this.widths = fresh;
    const names = labelPx(k);
    const all = [names, ...(pane.folded ? [FOLDED_PX * k] : []), ...fresh];
    const template = all.map(px => `${px}px`).join(" ");
    if (template === this.template) return;
    this.template = template;
    this.node.style.setProperty("--columns", template);
  }

  #drawHead(start, end) {
    const { batch, pane } = this;
    const { folded } = pane;
    const shown = `${folded}/${start}/${end}/${batch.sharedPrefix}`;
    if (this.head.shown === shown) return;
    this.head.shown = shown;
    const title = (className, text) => attrs(el("div", className, text), { role: "columnheader" });
    const canFold = !folded && start === 0 && batch.sharedPrefix > 0;
    write(this.foldButton, folded ? `0–${folded - 1} ▸` : "◂ 0");
    attrs(this.foldButton, { "aria-pressed": pane.fold });
    this.heads.clear();
    for (let t = start; t < end; t++) this.heads.set(t, title("pos", t === 0 && canFold ? this.foldButton : String(t)));
    const prefix = folded ? [title("pos", this.foldButton)] : [];
    this.head.replaceChildren(title("lab", "position t"), ...prefix, ...this.heads.values());
  }

  #drawLine(row, kind, start, end, sees) {
    const line = this.#line(row, kind);
    const nodes = [line.firstChild];
    if (this.pane.folded) nodes.push(this.#foldedCell(row, kind));
    for (let t = start; t < end; t++) nodes.push(this.#drawCell({ row, kind, t }, sees));
    fill(line, nodes);
    return line;
  }

  #line(row, kind) {
    const { batch, pane } = this;
    const key = `${row}/${kind}`;
    if (!this.lines.has(key)) this.lines.set(key, newLine(kind));
    const line = this.lines.get(key);
    const kinds = pane.kinds(batch);
    const at = kinds.indexOf(kind);
    const head = line.firstChild;
    const [name, label] = head.childNodes;
    write(name, at ? "" : String(batch.rows[row]));
    write(label, batch.label(kind));
    const title = kind.startsWith("other") ? `Under the second mask: ${batch.view.other.mask}` : "";
    attrs(head, { title, "aria-label": `row ${batch.rows[row]}, ${batch.label(kind)}` });
    attrs(line, { "aria-rowindex": row * kinds.length + at + 2 });
    line.classList.toggle("first", at === 0);
    line.classList.toggle("last", at === kinds.length - 1);
    return line;
  }

  #foldedCell(row, kind) {
    const { batch, pane } = this;
    const isMasked = pane.step === MASK_STEP && isTarget(kind) && batch.isIgnored(row, kind, pane.folded);
    const className = `c fold ${roleClass(batch.numbers.template)}${isMasked ? " m" : ""}`;
    const text = isMasked ? `${pane.folded} × −100` : `${pane.folded} shared`;
    return this.#write(`${row}/${kind}/${FOLDED}`, className, text, "");
  }

  #drawCell(place, sees) {
    const key = keyOf(place);
    if (sees && this.cells.has(key) && !sees(place.row, place.t)) return this.cells.get(key);
    const { batch } = this;
    const cell = batch.cell(this.pane.step, place.kind, place.row, place.t);
    if (!cell) return this.#write(key + ENDED, "c none", "", "");
    if (this.isCovered(place)) {
      const covered = this.#write(key, "c cov", "?", "");
      return describe(covered, spokenCovered(batch, place), "", place.t);
    }
    const isNew = batch.unknown.has(cell.id) && cell.role < batch.numbers.eos;
    const loss = this.lossAt(place);
    const isUntrained = loss && !batch.isTrained(place.row, place.t - columnsOn(place.kind), place.kind);
    const [text, small] = cellTexts(cell, loss);
    const node = this.#write(key, classesOf(cell, { isNew, loss, isUntrained }), text, small);
    return describe(node, spoken(batch, place, cell, { isNew, loss }), cell.masked ? -100 : cell.id, place.t);
  }

  /** The loss of the target in a cell as it is shown, or null. */
  lossAt({ row, kind, t }) {
    return kind === "target" || kind === "labels" ? this.losses.of(row, t - columnsOn(kind)) : null;
  }

  /** Whether a cell holds a target that the class has not uncovered yet. */
  isCovered({ row, kind, t }) {
    const at = t - columnsOn(kind);
    return isTarget(kind) && at >= 0 && this.pane.hasTargets && this.cover.hides(row, at);
  }

  #write(key, className, text, small) {
    let node = this.cells.get(key);
    if (!node) {
      node = newCell();
      if (!Number.isNaN(placeOf(key).t) && !key.endsWith(ENDED)) node.dataset.key = key;
      this.cells.set(key, node);
    }
    const state = `${className}|${text}|${small}`;
    if (node.state === state) return node;
    node.state = state;
    node.className = className;
    node.texts[0].data = text;
    node.texts[1].data = small;
    return node;
  }

  /** Whatever moves in the page: the place that had the focus has it after. */
  #keepFocus(act) {
    const before = document.activeElement?.dataset?.key;
    act();
    if (!before || document.activeElement?.dataset?.key === before) return;
    const node = this.cells.get(before);
    if (node && this.node.contains(node)) node.focus();
  }

  #marks(place) {
    const marks = new Map();
    if (!place) return marks;
    const context = this.pane.isPair ? "input" : "ids";
    for (let t = 0; t < place.t; t++) marks.set(`${place.row}/${context}/${t}`, "seen");
    for (const kind of this.pane.kinds(this.batch)) marks.set(keyOf({ ...place, kind }), "on");
    return marks;
  }
}

function newLine(kind) {
  const label = attrs(el("div", "lab", el("b"), kind), { role: "rowheader" });
  return attrs(el("div", `line ${kind}`, label), { role: "row" });
}

/** Its two texts stay: to write into them is far cheaper for the browser than to replace them. */
function newCell() {
  const node = el("div", "", el("b", "", " "), el("small", "", " "));
  node.texts = [node.firstChild.firstChild, node.lastChild.firstChild];
  return attrs(node, { role: "gridcell", tabindex: -1 });
}

function describe(node, label, id, t) {
  if (node.spoken === label) return node;
  node.spoken = label;
  node.dataset.id = id;
  return attrs(node, { "aria-label": label, "aria-colindex": t + 1 });
}

function setMark(node, wanted, tabIndex) {
  for (const mark of ["on", "seen"]) {
    if (node.classList.contains(mark) !== (wanted === mark)) node.classList.toggle(mark);
  }
  if (node.tabIndex !== tabIndex) node.tabIndex = tabIndex;
}

function classesOf({ role, masked, group }, { isNew, loss, isUntrained }) {
  const classes = ["c", roleClass(role)];
  if (masked && !loss) classes.push("m");
  if (isUntrained) classes.push("nt");
  if (isNew) classes.push("u");
  if (group) classes.push("part", group.part);
  if (loss) classes.push("loss", loss.kind);
  return classes.join(" ");
}

function cellTexts({ id, masked, piece }, loss) {
  if (loss) return [piece, loss.text]; // its sign and number: never color alone
  return masked ? ["−100", piece] : [piece, id];
}
