// The batch lens: five steps from text to masked targets, on the trainer's own batch.

import { keep, linked } from "../link.js";
import { attrs, el } from "../parts.js";
import { isRestored } from "../permalink.js";
import { ROLES, roleClass } from "../roles.js";
import { onTheme } from "../theme.js";
import { Batch, linesOf, MASK_STEP, STEPS } from "./batch.js";
import { Facts } from "./facts.js";
import { Grid } from "./grid.js";
import { action, cellAction, next } from "./keys.js";
import { Lint } from "./lint.js";
import { Losses } from "./losses.js";
import { Overview } from "./overview.js";
import { Paging } from "./paging.js";
import { Pane, placeOf } from "./pane.js";
import { arrowsLegend, explanation } from "./sentences.js";
import { Stepper } from "./stepper.js";
import { Typing } from "./typing.js";

class Lens {
  constructor(root, server, events) {
    Object.assign(this, { root, batch: null, value: {}, at: 0 });
    const lost = () => events.lost(); // the server has forgotten the batch: draw it again, and ask again
    this.wanted = linked.pin; // where a link points, until it has been drawn
    this.lateDraw = 0; // the frame after which the rest of the grid is drawn
    this.pane = new Pane(linked);
    this.losses = new Losses(server, () => this.redrawGrid(), lost);
    this.grid = new Grid(this.pane, this.losses);
    this.stepper = new Stepper(step => this.go(step));
    this.facts = new Facts();
    this.paging = new Paging(
      this.pane,
      () => this.batch,
      () => this.draw(),
    );
    this.overview = new Overview((row, t) => this.jump(row, t));
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
    this.detail = attrs(el("p", "detail"), { "aria-live": "polite" });
    this.arrowsLegend = el("p", "muted");
    const position = el("div", "card", el("h2", "", "Selected position"), this.detail, this.arrowsLegend);
    this.root.append(
      this.stepper.node,
      this.facts.tiles,
      this.facts.legend,
      this.losses.node,
      this.paging.node,
      this.wrap,
      this.overview.node,
      el("div", "half", position, this.stepper.codeCard, this.losses.top.card),
      this.lint.card,
      this.stepper.help,
    );
  }

  /** A value by one of Gradio's events: {stamp, at, batch, message, template, preset}. */
  follow({ stamp, at, batch, message, template, preset }) {
    if (at < this.at) return; // an answer that was overtaken
    this.at = at ?? this.at;
    if (message !== undefined) this.typing.accept({ stamp, message, template, preset });
    if (stamp) this.value = { stamp, batch };
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
    this.losses.take(batch.view);
    this.lint.take(batch.view);
    this.drawAround();
    const sees = isQuick && !pane.isText && !isLinked && !document.hidden ? this.grid.onScreen(batch, this.wrap) : null;
    if (pane.isText) this.drawTexts();
    else this.drawGrid(sees, isLinked);
    this.root.dataset.step = pane.step;
    this.root.dataset.shown = stamp;
    this.keepLink();
    cancelAnimationFrame(this.lateDraw);
    if (sees) this.lateDraw = requestAnimationFrame(() => setTimeout(() => this.finishLate()));
    else this.finish();
  }

  drawAround() {
    const { isText, step } = this.pane;
    this.grid.node.hidden = isText;
    this.paging.node.hidden = isText;
    this.texts.hidden = !isText;
    attrs(this.wrap, { tabindex: isText ? 0 : -1 });
    this.stepper.draw(step);
    this.facts.draw(this.batch, step);
  }

  drawGrid(sees, isLinked) {
    const { batch, grid, pane } = this;
    grid.draw(batch, sees);
    this.paging.draw(pane, batch);
    const isElsewhere = pane.pinShown(batch);
    this.mark(pane.pin);
    const node = (isElsewhere || isLinked) && grid.cellAt(pane.pin);
    if (node) this.wrap.scrollLeft = Math.max(0, node.offsetLeft - this.wrap.clientWidth * 0.6);
  }

  /** Step 1: what the template makes of each record. */
  drawTexts() {
    const { batch, pane } = this;
    const texts = pane.rows(batch).map(row => {
      const parts = batch.view.segments[row].map(([role, text]) => el("span", roleClass(role), text));
      return el("div", "text", el("b", "", `row ${batch.rows[row]}`), el("pre", "", ...parts));
    });
    this.texts.replaceChildren(...texts);
    this.explain(null);
  }

  finish() {
    this.overview.draw(this.batch, this.pane.step);
    this.root.dataset.drawn = this.batch.view.stamp;
  }

  finishLate() {
    if (this.root.dataset.drawn === String(this.batch.view.stamp)) return;
    this.redrawGrid();
    this.finish();
  }

  redrawGrid() {
    if (!this.batch || this.pane.isText) return;
    this.grid.draw(this.batch);
    this.mark(this.pane.pin);
  }

  mark(place) {
    const { batch, pane } = this;
    this.grid.mark(place);
    this.explain(place);
    if (place !== pane.pin) return; // the mouse is elsewhere
    const target = place && pane.isPair && { row: place.row, t: place.t };
    this.losses.top.take(
      target ? { ...target, next: batch.view.next[target.row][target.t], stamp: batch.view.stamp } : null,
    );
    this.keepLink();
  }

  explain(place) {
    const loss = place && this.losses.of(place.row, place.t);
    this.arrowsLegend.textContent = arrowsLegend(this.pane.isPair);
    this.detail.textContent = explanation(this.batch, place, this.pane.step, loss);
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
    const { fold, pin, step } = this.pane;
    keep({ ...this.batch.view.link, step, fold, ...(pin ? { pin: [pin.row, pin.kind, pin.t] } : {}) });
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
    on("mouseover", here => this.mark(here));
    on("click", here => grid.cellAt(here).focus());
    on("focusin", here => {
      pane.pin = here;
      this.mark(here);
    });
    grid.node.addEventListener("mouseleave", () => this.mark(pane.pin));
    wrap.addEventListener("keydown", event => this.press(event, place(event)));
  }

  press(event, here) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.batch) return;
    const { batch, pane } = this;
    const found = action(event.key) || (here && cellAction(event.key, here, batch, pane.step));
    if (!found) return;
    event.preventDefault();
    this[found.act](found.by ?? found.place);
  }

  // ---- What a key does, by its name in keys.js ---------------------------------------------------------------

  help() {
    this.stepper.help.showModal();
  }

  fold() {
    this.paging.fold.click();
  }

  mask() {
    next([...document.querySelectorAll("#mask input")])?.click();
  }

  turn(pages) {
    this.pane.turn(pages, this.batch);
    this.draw();
    this.focus();
  }

  go(step) {
    const hadFocus = document.activeElement?.dataset?.key || this.wrap === document.activeElement;
    this.pane.go(step);
    this.draw();
    const { classList } = this.root;
    classList.remove(...STEPS.map((_, i) => `to-${i + 1}`));
    void this.root.offsetWidth; // begins the animation anew
    classList.add(`to-${step}`);
    if (hadFocus) this.focus();
  }

  /** Bring a place into the window and focus it. */
  show(wanted) {
    const { place, moved } = this.pane.reveal(wanted, this.batch);
    if (moved) this.draw();
    this.grid.cellAt(place)?.focus();
  }

  // ------------------------------------------------------------------------------------------------------------

  jump(row, t) {
    if (this.pane.isText) this.go(MASK_STEP);
    this.show({ row, kind: linesOf(this.pane.step).at(-1), t });
  }

  focus() {
    const node = this.pane.isText ? this.wrap : this.grid.cellAt(this.pane.pin);
    node?.focus();
  }
}

/** The component. */
export function lens(element, props, watch, server, events) {
  const view = new Lens(element.querySelector(".lens"), server, events);
  const follow = () => view.follow(props.value || {});
  follow();
  view.draw();
  watch("value", () => {
    follow();
    view.draw(true);
  });
  onTheme(element, () => view.draw());
}
