// The batch lens: five steps from text to masked targets, on the trainer's own batch.

import { keep, linked } from "../link.js";
import { attrs, el } from "../parts.js";
import { isRestored } from "../permalink.js";
import { showGroups, showSheet } from "../rail.js";
import { ROLES, roleClass } from "../roles.js";
import { Lint } from "../template/lint.js";
import { Typing } from "../template/typing.js";
import { onTheme } from "../theme.js";
import { Actions } from "./actions.js";
import { Batch, columnsOn } from "./batch.js";
import { Cover } from "./cover.js";
import { Facts } from "./facts.js";
import { Grid } from "./grid.js";
import { action, cellAction } from "./keys.js";
import { Legend } from "./legend.js";
import { Losses } from "./losses.js";
import { Overview } from "./overview.js";
import { Paging } from "./paging.js";
import { Pane, placeOf } from "./pane.js";
import { Stepper } from "./stepper.js";
import { Strip } from "./strip.js";

const WAIT = 200; // milliseconds until the rest of the grid is drawn on a page that is never idle
/** Safari has no idle time to ask for. */
const whenIdle = act =>
  (globalThis.requestIdleCallback ?? setTimeout)(act, globalThis.requestIdleCallback ? { timeout: WAIT } : 0);

class Lens {
  constructor(root, server, events) {
    Object.assign(this, { root, batch: null, value: {}, at: 0 });
    const lost = () => events.lost(); // the server has forgotten the batch: draw it again, and ask again
    this.wanted = linked.pin; // where a link points, until it has been drawn
    this.lateDraw = 0; // the frame after which the rest of the grid is drawn
    this.pane = new Pane(linked);
    const actions = new Actions(this);
    this.actions = actions;
    this.losses = new Losses(server, () => this.redrawGrid(), lost);
    this.cover = new Cover(() => this.redrawGrid());
    this.grid = new Grid(this.pane, this.losses, this.cover, () => actions.fold());
    this.stepper = new Stepper(step => actions.go(step));
    this.facts = new Facts(this.losses, el("span", "wide", "Color by"), this.losses.node, this.cover.button);
    this.legend = new Legend(this.losses);
    this.paging = new Paging(
      this.pane,
      () => this.batch,
      () => this.draw(),
    );
    this.overview = new Overview(
      (row, t) => actions.jump(row, t),
      t => this.scrollTo(t),
    );
    this.strip = new Strip(this.stepper.codeCard, this.losses.top.card, text => actions.guessed(text));
    this.lint = new Lint(server, lost);
    this.typing = new Typing(server, events, value => {
      this.value = value;
      this.at = value.at;
      this.draw(true);
    });
    this.build();
    this.listen();
    this.stepper.fetchCode(server, () => this.pane.step);
  }

  build() {
    this.texts = el("div", "texts");
    this.wrap = el("div", "wrap", this.grid.node, this.texts);
    this.asLabels = attrs(el("button", "small-btn", "HF labels"), { type: "button" });
    this.asLabels.title = "Targets as Hugging Face has them: in place, the model moves them (L)";
    this.asLabels.onclick = () => this.actions.labels();
    const line = el("div", "leg", this.legend.node, this.paging.node, this.asLabels, this.stepper.keys);
    this.stale = el("p", "stale-note", "The last valid template. Mend the one at the left to go on.");
    const card = el("section", "grid-card", this.wrap, line, this.overview.node, this.stale);
    card.setAttribute("aria-label", "The batch");
    this.root.append(this.stepper.node, this.facts.node, card, this.strip.node, this.stepper.help);
  }

  /** A value by one of Gradio's events: {stamp, at, batch, message, template, preset}. */
  follow({ stamp, at, batch, message, template, preset }) {
    if (at < this.at) return; // an answer that was overtaken
    this.at = at ?? this.at;
    if (message !== undefined) this.typing.accept({ stamp, message, template, preset });
    if (stamp) this.value = { stamp, batch, template };
  }

  /** Draw the value; `isQuick`: what is on the screen at once, and the rest after that has been painted. */
  draw(isQuick = false) {
    const { batch: text, stamp } = this.value; // as text: Gradio wraps every nested value in a reactive proxy
    this.root.classList.toggle("stale", !text);
    if (!text) return;
    this.batch = new Batch({ ...JSON.parse(text), stamp }, ROLES);
    const { batch, pane } = this;
    if (pane.above >= batch.rows.length) pane.above = 0;
    const isLinked = this.restoreLink();
    // read before anything is written: the browser lays out once less
    const sees = isQuick && !pane.isText && !isLinked && !document.hidden ? this.grid.onScreen(batch, this.wrap) : null;
    this.losses.take(batch.view, pane.hasTargets);
    this.cover.take(batch, pane.hasTargets);
    this.lint.take(batch.view);
    this.drawAround();
    showGroups(batch.view.link);
    showSheet(
      [document.querySelector("#preset input")?.value, (batch.view.link.mask || "response").replaceAll("-", " ")]
        .filter(Boolean)
        .join(" · "),
    );
    if (pane.isText) this.drawTexts();
    else this.drawGrid(sees, isLinked);
    this.root.dataset.step = pane.step;
    this.root.dataset.shown = stamp;
    this.keepLink();
    cancelAnimationFrame(this.lateDraw);
    if (sees) this.lateDraw = requestAnimationFrame(() => whenIdle(() => this.finishLate()));
    else this.finish();
  }

  drawAround() {
    const { pane } = this;
    this.grid.node.hidden = pane.isText;
    this.paging.node.hidden = pane.isText;
    this.overview.node.hidden = pane.isText;
    this.texts.hidden = !pane.isText;
    attrs(this.wrap, { tabindex: pane.isText ? 0 : -1 });
    attrs(this.asLabels, { "aria-pressed": pane.asLabels });
    this.asLabels.disabled = !pane.hasTargets;
    this.stepper.draw(pane);
    this.drawNumbers();
  }

  drawNumbers() {
    this.facts.draw(this.batch);
    this.legend.draw(this.batch, this.pane.step);
    this.root.classList.toggle("lossy", this.losses.on);
  }

  drawGrid(sees, isLinked) {
    const { batch, grid, pane } = this;
    grid.draw(batch, sees);
    this.paging.draw(pane, batch);
    const isElsewhere = pane.pinShown(batch);
    this.mark(pane.pin);
    if (isElsewhere || isLinked) this.scrollTo(pane.pin?.t, pane.pin?.row);
  }

  /** A column into the middle, and a row into view. */
  scrollTo(t, row = null) {
    const { batch, grid, pane, wrap } = this;
    const [start, end] = pane.span(batch);
    const column = Math.max(start, Math.min(end - 1, Math.round(t)));
    const node = grid.heads.get(column);
    if (!node) return;
    wrap.scrollLeft = node.offsetLeft + node.offsetWidth / 2 - wrap.clientWidth / 2;
    const line = row === null ? null : grid.lines.get(`${row}/${pane.kinds(batch)[0]}`);
    if (line) wrap.scrollTop = line.offsetTop - grid.head.offsetHeight;
  }

  /** Step 1: what the template makes of each record. */
  drawTexts() {
    const { batch, pane } = this;
    const texts = pane.rows(batch).map(row => {
      const parts = batch.view.segments[row].map(([role, text]) => el("span", roleClass(role), text));
      return el("div", "text", el("b", "", String(batch.rows[row])), el("pre", "", ...parts));
    });
    this.texts.replaceChildren(...texts);
    this.strip.draw(batch, null, pane, {});
  }

  finish() {
    this.overview.draw(this.batch, this.pane.step, this.pane.rows(this.batch));
    this.see();
    this.root.dataset.drawn = this.batch.view.stamp;
  }

  finishLate() {
    if (this.root.dataset.drawn === String(this.batch.view.stamp)) return;
    this.grid.draw(this.batch);
    this.mark(this.pane.pin);
    this.finish();
  }

  redrawGrid() {
    if (!this.batch || this.pane.isText) return;
    this.drawNumbers();
    this.grid.draw(this.batch);
    this.mark(this.pane.pin);
  }

  /** Which columns are in view, for the map. */
  see() {
    if (this.pane.isText) return;
    const { heads } = this.grid;
    const left = this.wrap.scrollLeft;
    const right = left + this.wrap.clientWidth;
    const first = this.grid.head.firstChild.offsetWidth;
    const inView = [...heads].filter(
      ([, { offsetLeft: x, offsetWidth: width }]) => x >= left + first - width / 2 && x + width / 2 <= right,
    );
    if (inView.length) this.overview.see(inView[0][0], inView.at(-1)[0] + 1);
  }

  mark(place) {
    const { batch, grid, pane } = this;
    grid.mark(place);
    const target = place && this.targetOf(place);
    const isCovered = Boolean(target && this.cover.hides(target.row, target.t));
    const verdict = target ? this.cover.verdictOn(target.row, target.t) : "";
    this.strip.draw(batch, place, pane, { loss: target && this.losses.of(target.row, target.t), isCovered, verdict });
    if (place !== pane.pin) return; // the mouse is elsewhere
    this.losses.top.take(
      target ? { ...target, next: batch.view.next[target.row][target.t], isCovered, stamp: batch.view.stamp } : null,
    );
    this.keepLink();
  }

  /** The target that a place is about, by the position that predicts it; null where there is none. */
  targetOf({ row, kind, t }) {
    if (!this.pane.hasTargets) return null;
    const at = this.pane.isPair ? t : t - columnsOn(kind);
    return at < 0 || at >= this.batch.view.width ? null : { row, t: at };
  }

  /** A link's position, once the server draws what the link asks for. Returns whether that is now. */
  restoreLink() {
    const { batch, pane, wanted } = this;
    const isNow = Array.isArray(wanted) && isRestored(batch.view.link, linked) && batch.rows.length > wanted[0];
    if (!isNow) return false;
    this.wanted = undefined;
    pane.restore(wanted, batch);
    return true;
  }

  keepLink() {
    if (!this.batch) return;
    const { asLabels: labels, fold, pin, step } = this.pane;
    const drawn = this.value.template;
    keep("view", {
      ...this.batch.view.link,
      drawn,
      step,
      fold,
      labels,
      ...(pin ? { pin: [pin.row, pin.kind, pin.t] } : {}),
    });
  }

  listen() {
    const { grid, pane, wrap } = this;
    const place = event => {
      const key = event.target.closest?.("[data-key]")?.dataset.key;
      return key ? placeOf(key) : null;
    };
    const on = (name, act) =>
      grid.node.addEventListener(name, event => {
        const here = place(event);
        if (here) act(here);
      });
    on("mouseover", here => {
      if (!this.strip.isTyping) this.mark(here);
    });
    on("click", here => {
      grid.cellAt(here).focus();
      this.actions.uncover(here);
    });
    on("focusin", here => {
      pane.pin = here;
      this.mark(here);
    });
    grid.node.addEventListener("mouseleave", () => {
      if (!this.strip.isTyping) this.mark(pane.pin);
    });
    wrap.addEventListener("scroll", () => this.see(), { passive: true });
    wrap.addEventListener("keydown", event => this.press(event, place(event)));
  }

  press(event, here) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.batch) return;
    const { batch, pane } = this;
    const found = action(event.key) || (here && cellAction(event.key, here, batch, pane));
    if (!found) return;
    event.preventDefault();
    this.actions[found.act](found.by ?? found.place);
  }
}

/** The component. */
export function lens(element, props, watch, server, events) {
  const view = new Lens(element.querySelector(".lens"), server, events);
  const follow = () => view.follow(props.value || {});
  follow();
  requestAnimationFrame(() => setTimeout(() => view.draw())); // the tab is there at once, its grid in the next frame
  watch("value", () => {
    follow();
    view.draw(true);
  });
  onTheme(element, () => view.draw());
}
