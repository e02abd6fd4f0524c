// What keys and buttons do with the lens, by their names in keys.js.
import { linesOf, MASK_STEP, PAD_STEP, STEPS } from "./batch.js";
import { next } from "./keys.js";

export class Actions {
  constructor(lens) {
    this.lens = lens;
  }

  help() {
    this.lens.stepper.help.showModal();
  }

  fold() {
    const { pane } = this.lens;
    pane.fold = !pane.fold;
    pane.from = 0;
    this.lens.draw();
  }

  rail() {
    document.querySelector("#rail-fold")?.click();
  }

  covered() {
    if (!this.lens.cover.button.disabled) this.lens.cover.toggle();
  }

  /** A target that the class wants to see without a guess. */
  uncover(here) {
    const target = this.lens.targetOf(here);
    if (target && this.lens.cover.uncover(target.row, target.t)) this.flip(here);
  }

  /** The field for a guess takes the focus. */
  guess() {
    this.lens.strip.ask();
  }

  /** What the class says of the pinned target. */
  guessed(text) {
    const { batch, cover, pane } = this.lens;
    const target = pane.pin && this.lens.targetOf(pane.pin);
    if (!target || !text.trim()) return;
    cover.guess(target.row, target.t, text, batch.namesOf(target.row, target.t));
    this.flip(pane.pin);
    this.focus();
  }

  flip(here) {
    this.lens.redrawGrid();
    this.lens.grid.cellAt({ ...here })?.classList.add("flip");
  }

  /** Targets as Hugging Face has them, or as this project does. */
  labels() {
    if (!this.lens.pane.hasTargets) return;
    this.lens.pane.showLabels(!this.lens.pane.asLabels, this.lens.batch);
    this.lens.draw();
    this.lens.scrollTo(this.lens.pane.pin?.t, this.lens.pane.pin?.row);
  }

  mask() {
    next([...document.querySelectorAll("#mask input")])?.click();
  }

  turn(pages) {
    this.lens.pane.turn(pages, this.lens.batch);
    this.lens.draw();
    this.focus();
  }

  go(step) {
    const hadFocus = document.activeElement?.dataset?.key || this.lens.wrap === document.activeElement;
    this.lens.pane.go(step);
    this.lens.draw();
    this.lookAt(step);
    const { classList } = this.lens.root;
    classList.remove(...STEPS.map((_, i) => `to-${i + 1}`));
    void this.lens.root.offsetWidth; // begins the animation anew
    classList.add(`to-${step}`);
    if (hadFocus) this.focus();
  }

  /** A step is looked at where it happens: padding at the first pad, the others at the boundary or what is pinned. */
  lookAt(step) {
    const { batch, pane } = this.lens;
    if (pane.isText) {
      this.lens.wrap.scrollTop = 0;
      return;
    }
    const found = step === PAD_STEP ? batch.firstPadding(pane.rows(batch)) : pane.pin;
    if (found) this.lens.scrollTo(found.t, found.row);
  }

  /** Bring a place into the window and focus it. */
  show(wanted) {
    const { place, moved } = this.lens.pane.reveal(wanted, this.lens.batch);
    if (moved) this.lens.draw();
    this.lens.grid.cellAt(place)?.focus();
  }

  jump(row, t) {
    if (this.lens.pane.isText) this.go(MASK_STEP);
    this.show({ row, kind: linesOf(this.lens.pane.step, this.lens.pane.asLabels).at(-1), t });
  }

  focus() {
    const node = this.lens.pane.isText ? this.lens.wrap : this.lens.grid.cellAt(this.lens.pane.pin);
    node?.focus();
  }
}
