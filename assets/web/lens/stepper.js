// The five steps as buttons, the list of keys, and each step's lines of the library.
import { attrs, button, el } from "../parts.js";
import { STEPS } from "./batch.js";
import { KEYS } from "./keys.js";

function keysDialog() {
  const list = KEYS.flatMap(([name, text]) => [el("dt", "", el("kbd", "", name)), el("dd", "", text)]);
  const title = el("h2", "", "Keys, while the grid has the focus");
  const dialog = el("dialog", "ift keys", title, el("dl", "", ...list));
  dialog.append(button("Close", () => dialog.close()));
  return dialog;
}

export class Stepper {
  /** `go` is called with the number of a step. */
  constructor(go) {
    this.help = keysDialog();
    this.buttons = STEPS.map((name, i) => {
      const one = button("", () => go(i + 1));
      one.append(el("kbd", "", String(i + 1)), name);
      return one;
    });
    const keys = button("? Keys", () => this.help.showModal());
    const values = { role: "group", "aria-label": "From text to targets" };
    this.node = attrs(el("div", "steps row", ...this.buttons, keys), values);
    this.title = el("h2");
    this.listing = el("pre", "code");
    this.codeCard = el("div", "card listing", this.title, this.listing);
    this.code = [];
  }

  /** Ask the server for the lines of each step, once. */
  async fetchCode(server, step) {
    try {
      this.code = await server.lens_code({});
      this.drawCode(step());
    } catch (error) {
      console.info("no code from the server", error);
    }
  }

  draw(step) {
    this.buttons.forEach((one, i) => {
      if (i + 1 === step) one.setAttribute("aria-current", "step");
      else one.removeAttribute("aria-current");
    });
    this.drawCode(step);
  }

  drawCode(step) {
    const shown = this.code[step - 1];
    this.title.textContent = `Step ${step} in code${shown ? `: ${shown.where}` : ""}`;
    const lines = shown ? shown.lines.join("\n") : "";
    if (this.listing.textContent !== lines) this.listing.textContent = lines;
  }
}
