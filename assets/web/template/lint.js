// The linter: asks the server for more rows on each pause until it has seen all.
import { attrs, el, until } from "../parts.js";

const PAUSE = 800; // milliseconds without a redraw

export class Lint {
  /** `lost`: called where the server has forgotten the batch. */
  constructor(server, lost) {
    Object.assign(this, { server, lost, text: "", stamp: 0, timer: 0, isComplete: false });
    this.report = attrs(el("div"), { "aria-live": "off" });
    this.summary = el("summary");
    this.card = el("details", "", this.summary, this.report);
    this.card.hidden = true;
    until(() => document.querySelector("#findings .lint")).then(place => place.replaceChildren(this.card));
  }

  /** Another batch; `text` is a hash of what the linter judges: data set, template, mask and limit. */
  take({ stamp, text }) {
    this.stamp = stamp;
    clearTimeout(this.timer);
    if (text === this.text && this.isComplete) return;
    if (text !== this.text) this.isComplete = false;
    this.text = text;
    this.timer = setTimeout(() => this.ask(stamp), PAUSE);
  }

  async ask(stamp) {
    const reply = await this.server.lens_lint({ stamp }).catch(error => {
      console.info("the linter does not answer", error);
      return null;
    });
    if (stamp !== this.stamp || !reply) return;
    if (reply.gone) this.lost();
    if (reply.error) return;
    const chips = document.querySelector("#template-message .of-all");
    if (chips) chips.innerHTML = reply.chips; // as below
    this.report.innerHTML = reply.html; // every text in it was escaped by the server (playground/views/html.py)
    this.summary.textContent = `Linter: ${this.report.querySelector(".muted").textContent.split(".")[0]}`;
    this.card.hidden = false;
    this.isComplete = reply.complete;
    this.card.dataset.complete = reply.complete;
    if (!reply.complete) this.ask(stamp);
  }
}
