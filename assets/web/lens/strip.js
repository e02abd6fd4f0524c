// Below the grid, always on the screen: the selected position, what the models would write there, the step's code.
import { attrs, button, el, renew, write } from "../parts.js";
import { roleClass } from "../roles.js";
import { explanation, guess } from "./sentences.js";

const CONTEXT = 5; // tokens before the target

export class Strip {
  /** codeCard, tops: the other two parts. guessed: takes what the class says for the covered target. */
  constructor(codeCard, tops, guessed) {
    this.title = el("h2");
    this.context = attrs(el("div", "context"), { "aria-hidden": "true" });
    this.detail = attrs(el("p", "detail"), { "aria-live": "polite" });
    this.field = attrs(el("input"), { "aria-label": "Your guess", placeholder: "your guess", autocomplete: "off" });
    this.form = attrs(el("form", "guess", this.field, attrs(button("Guess"), { type: "submit" })), { hidden: true });
    this.form.onsubmit = event => {
      event.preventDefault();
      guessed(this.field.value);
    };
    const position = el("div", "position", el("div", "cap", this.title, this.form), this.context, this.detail);
    this.node = attrs(el("section", "strip", position, tops, codeCard), {
      "aria-label": "The selected position, and this step's code",
    });
  }

  ask() {
    if (!this.form.hidden) this.field.focus();
  }

  /** Whether somebody types a guess: then the mouse changes nothing here. */
  get isTyping() {
    return document.activeElement === this.field;
  }

  /**
   * place: of a cell, or null. loss: of its target as shown, or null. isCovered: whether the class is to guess it.
   * verdict: on its guess.
   */
  draw(batch, place, pane, { loss, isCovered, verdict }) {
    const about = isCovered ? `${place.row}/${place.t}` : "";
    if (about !== this.about) this.field.value = "";
    this.about = about;
    this.form.hidden = !isCovered;
    write(this.title, place ? `Row ${batch.rows[place.row]}, t = ${place.t}` : "Nothing selected");
    renew(this.context, place && pane.isPair ? this.#tokens(batch, place, pane.step, isCovered) : []);
    const told = isCovered ? guess(batch, place, pane.step) : explanation(batch, place, pane, loss);
    write(this.detail, verdict ? `${verdict} ${told}` : told);
  }

  #tokens(batch, { row, t }, step, isCovered) {
    const first = Math.max(0, t + 1 - CONTEXT);
    const read = [];
    for (let i = first; i <= t; i++) read.push(token(batch.cell(step, "input", row, i)));
    const target = isCovered ? el("span", "cov", "?") : token(batch.cell(step, "target", row, t));
    return [...(first ? [document.createTextNode("… ")] : []), ...read, el("em", "", "→"), target];
  }
}

const token = ({ piece, role, masked }) =>
  el("span", `${roleClass(role)}${masked ? " m" : ""}`, masked ? "−100" : piece);
