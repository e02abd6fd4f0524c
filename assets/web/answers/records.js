// The table of held-out records: filters, tasks, search, sorting, and the rows that the server sends for them.
import { count } from "../numbers.js";
import { attrs, button, el, redraw } from "../parts.js";
import { difference, oneLine } from "./pieces.js";

const PAUSE = 150; // milliseconds after a key, before the server is asked
const ROWS = 60; // rows asked for at a time
const MOST = 200; // rows in one reply
const NEAR = 600; // pixels from the end, where more rows are asked for
const COLUMNS = [
  ["record", "Row", "n"],
  ["task", "Task", "c-task"],
  ["prompt", "Prompt", "c-prompt"],
  ["before", "Before", "c-before"],
  ["after", "After", "c-after"],
  ["likeness", "F1", "n c-likeness"],
  ["judge", "Judge", "n c-judge"],
  ["right", "OK", "c-right"],
];
const WAITS = "…";

function mark({ right, reason, never_stopped }) {
  if (reason) return attrs(el("span", "warn", "!"), { title: reason, "aria-label": reason });
  if (right === null) return "";
  const name = right === 1 ? "right" : never_stopped ? "never stopped" : "not right";
  const sign = right === 1 ? ["good", "✓"] : never_stopped ? ["warn", "!"] : ["bad", "✗"];
  return attrs(el("span", ...sign), { title: name, role: "img", "aria-label": name });
}

/** The judge's grade; "!" where it gave no verdict on an answer, with the reason. */
function grade({ judge, no_verdict: why }) {
  const sign = why ? attrs(el("span", "warn", "!"), { title: why, role: "img", "aria-label": why }) : "";
  return el("span", "", judge === null ? "" : judge.toFixed(0), judge === null || !why ? "" : " ", sign);
}

/** The cells of a row, in the order of COLUMNS. */
function cells(row) {
  const two = (...children) => el("div", "two-lines", ...children);
  return [
    String(row.record),
    row.task,
    two(el("b", "", row.instruction), row.input ? ` ${row.input}` : ""),
    two(row.before === null ? WAITS : oneLine(row.before)),
    row.after === null ? WAITS : two(...difference(row.after.map(([change, text]) => [change, oneLineKept(text)]))),
    row.has_check || row.likeness === null ? "–" : row.likeness.toFixed(2),
    grade(row),
    mark(row),
  ];
}

// a stretch keeps the spaces at its ends: its neighbors are on the same line
const oneLineKept = text => text.replace(/\s*\n\s*/g, " ↵ ");

function labeled(text, number) {
  return [text, el("span", "n", count(number))];
}

function pressed(node, isOn) {
  return attrs(node, { "aria-pressed": isOn });
}

export class Records {
  /** `ask`: rows for a query; `choose`: shows a record beside the table. */
  constructor({ ask, choose, foot = "" }) {
    Object.assign(this, { ask, choose, stamp: 0, timer: 0, shown: [], found: 0, record: null });
    this.filters = attrs(el("div", "filters"), { role: "group", "aria-label": "Show records" });
    this.tasks = attrs(el("div", "filters tasks"), { role: "group", "aria-label": "Tasks, weakest first" });
    this.find = attrs(el("input", "find"), { type: "search", placeholder: "Find in records", id: "find-records" });
    this.find.setAttribute("aria-label", "Find in records");
    this.ofTask = el("span", "of-task");
    this.tasks.append(this.find, this.ofTask); // it stays in the page while others are drawn again: it may be typed in
    this.body = el("tbody");
    this.head = el("tr");
    this.box = attrs(el("div", "records", el("table", "", el("thead", "", this.head), this.body)), {
      tabindex: 0,
      role: "region",
      "aria-label": "Held-out records",
    });
    this.told = attrs(el("span"), { role: "status" });
    this.node = el("section", "list", this.filters, this.tasks, this.box, el("div", "foot", this.told, foot));
    this.node.setAttribute("aria-label", "Held-out records");
    this.listen();
    this.reset();
  }

  listen() {
    this.find.oninput = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.change({ find: this.find.value }), PAUSE);
    };
    this.box.onscroll = () => {
      const left = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
      if (left < NEAR && this.shown.length < this.found && !this.isAsking) this.more();
    };
    this.body.onclick = event => {
      const row = event.target.closest("tr");
      if (row) this.open(Number(row.dataset.record));
    };
    this.body.onkeydown = event => this.key(event);
  }

  /** As at the start of a run. */
  reset() {
    this.query = { filter: "all", task: "", find: "", sort: "right", descending: false };
    Object.assign(this, { shown: [], found: 0, record: null });
    this.find.value = "";
    this.body.replaceChildren();
  }

  /** Another filter, task, text or order. */
  change(part) {
    Object.assign(this.query, part);
    this.box.scrollTop = 0;
    return this.load(ROWS);
  }

  /** The same query again: there may be other rows now. */
  refresh() {
    return this.load(Math.min(MOST, Math.max(ROWS, this.shown.length)));
  }

  async load(rows) {
    this.stamp += 1;
    const reply = await this.fetch(0, rows);
    if (!reply) return;
    const last = this.chosen();
    this.draw(reply);
    if (last && this.chosen() && JSON.stringify(last) !== JSON.stringify(this.chosen())) this.choose(this.record);
    this.follow();
  }

  async more() {
    const reply = await this.fetch(this.shown.length, ROWS);
    if (!reply) return;
    this.shown.push(...reply.rows);
    this.body.append(...reply.rows.map(row => this.row(row)));
  }

  async fetch(first, rows) {
    const { stamp } = this;
    this.isAsking = true;
    const reply = await this.ask({ ...this.query, first, count: rows }).catch(() => null);
    this.isAsking = false;
    return reply?.rows && stamp === this.stamp ? reply : null;
  }

  draw(reply) {
    Object.assign(this, { shown: reply.rows, found: reply.found });
    this.node.classList.toggle("judged", Boolean(reply.judge));
    const hadFocus = this.body.contains(document.activeElement);
    this.drawFilters(reply);
    this.drawHead();
    this.body.replaceChildren(...reply.rows.map(row => this.row(row)));
    const of = reply.found === reply.all ? "" : ` of ${count(reply.all)}`;
    this.told.textContent = `${count(reply.found)}${of} ${reply.all === 1 ? "record" : "records"}`;
    if (hadFocus) this.rowOf(this.record)?.focus();
  }

  drawFilters({ counts, tasks }) {
    const { filter, task } = this.query;
    const chips = Object.entries(counts).map(([name, number]) => {
      const text = name[0].toUpperCase() + name.slice(1);
      const one = pressed(el("button", "chip", ...labeled(text, number)), name === filter);
      one.disabled = !number && name !== filter;
      one.onclick = () => this.change({ filter: name });
      return one;
    });
    const ofTask = tasks.map(([name, right, all]) => {
      const label = el("span", "n", `${right}/${all}`);
      const one = pressed(el("button", `chip task ${right < all ? "low" : ""}`, name, label), name === task);
      one.onclick = () => this.change({ task: name === task ? "" : name });
      return one;
    });
    for (const one of [...chips, ...ofTask]) one.type = "button";
    redraw(this.filters, chips);
    redraw(this.ofTask, ofTask);
  }

  drawHead() {
    const { sort, descending } = this.query;
    const heads = COLUMNS.map(([name, title, kind]) => {
      const isSorted = name === sort;
      const sign = isSorted ? el("span", "", descending ? " ▾" : " ▴") : "";
      const act = button("", () => this.change({ sort: name, descending: isSorted && !descending }));
      act.className = "sort";
      act.append(title, sign);
      const order = isSorted ? (descending ? "descending" : "ascending") : "none";
      return attrs(el("th", kind, act), { scope: "col", "aria-sort": order });
    });
    redraw(this.head, heads);
  }

  row(row) {
    const found = cells(row).map((cell, i) => el("td", COLUMNS[i][2], cell));
    const node = attrs(el("tr", "", ...found), { tabindex: -1, "data-record": row.record });
    return this.marked(node, row.record === this.record);
  }

  marked(node, isChosen) {
    if (isChosen) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.tabIndex = isChosen ? 0 : -1;
    return node;
  }

  /** What the server sent of the chosen record. */
  chosen() {
    return this.shown.find(row => row.record === this.record);
  }

  rowOf(record) {
    return this.body.querySelector(`[data-record="${record}"]`);
  }

  /** Where no shown record is chosen, the first one is. */
  follow() {
    if (this.shown.some(row => row.record === this.record)) return;
    if (this.shown.length) this.open(this.shown[0].record);
    else this.choose(null);
  }

  open(record) {
    const last = this.rowOf(this.record);
    if (last) this.marked(last, false);
    this.record = record;
    const now = this.rowOf(record);
    if (now) this.marked(now, true);
    this.choose(record);
  }

  /** The chosen record's place among those that are shown, and whether there is one before and behind it. */
  place() {
    const at = this.shown.findIndex(row => row.record === this.record);
    return { at, hasBefore: at > 0, hasBehind: at >= 0 && at < this.found - 1 };
  }

  /** Go `by` rows on; `isFocused`: with the focus. */
  async step(by, isFocused) {
    const at = this.place().at + by;
    if (at >= this.shown.length && at < this.found) await this.more();
    const next = this.shown[Math.max(0, Math.min(this.shown.length - 1, at))];
    if (!next) return;
    this.open(next.record);
    const node = this.rowOf(next.record);
    node.scrollIntoView({ block: "nearest" });
    if (isFocused) node.focus({ preventScroll: true });
  }

  key(event) {
    const far = this.shown.length;
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -far, End: far }[event.key];
    if (!by) return;
    event.preventDefault();
    this.step(by, true);
  }
}
