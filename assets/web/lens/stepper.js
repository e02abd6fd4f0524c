// The five steps as buttons, what each does in a sentence, its lines of the library, and the list of keys.
import { attrs, button, el, write } from "../parts.js";
import { STEPS } from "./batch.js";
import { KEYS } from "./keys.js";
import { arrowsText, stepText } from "./sentences.js";

function keysDialog() {
  const list = KEYS.flatMap(([name, text]) => [el("dt", "", el("kbd", "", name)), el("dd", "", text)]);
  const title = el("h2", "", "Keys, while the grid has the focus");
  const dialog = el("dialog", "ift keys", title, el("dl", "", ...list), el("p", "muted", arrowsText(true)));
  const close = button("Close", () => dialog.close());
  dialog.append(el("div", "end", close));
  return dialog;
}

export class Stepper {
  /** `go` is called with the number of a step. */
  constructor(go) {
    this.help = keysDialog();
    this.buttons = STEPS.map((name, i) => {
      const one = attrs(el("button", "plain-btn", el("i", "", String(i + 1)), el("span", "", name)), {
        type: "button",
        "aria-label": `${i + 1} ${name}`,
      });
      one.onclick = () => go(i + 1);
      return one;
    });
    this.keys = attrs(el("button", "small-btn", "? Keys"), { type: "button" });
    this.keys.onclick = () => this.help.showModal();
    this.sentence = attrs(el("p", "step-text"), { "aria-live": "polite" });
    const steps = attrs(el("div", "buttons", ...this.buttons), { role: "group", "aria-label": "From text to targets" });
    this.node = el("div", "steps", steps, this.sentence);
    this.title = el("h2");
    this.listing = el("pre", "code");
    this.codeCard = el("div", "listing", this.title, this.listing);
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

  draw(pane) {
    this.buttons.forEach((one, i) => {
      if (i + 1 === pane.step) attrs(one, { "aria-current": "step" });
      else one.removeAttribute("aria-current");
    });
    write(this.sentence, stepText(pane));
    this.drawCode(pane.step);
  }

  drawCode(step) {
    const shown = this.code[step - 1];
    write(this.title, `Step ${step} in code${shown ? ` · ${shown.where}` : ""}`);
    write(this.listing, shown ? shown.lines.join("\n") : "");
  }
}
