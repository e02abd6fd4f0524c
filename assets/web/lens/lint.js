// The linter: asks the server for more rows on each pause until it has seen all; a row's button shows it in the grid.
import { attrs, el } from "../parts.js";

const PAUSE = 800; // milliseconds without a redraw

export class Lint {
  /** `lost`: called where the server has forgotten the batch. */
  constructor(server, lost) {
    Object.assign(this, { server, lost, text: "", stamp: 0, timer: 0, isComplete: false });
    this.card = attrs(el("div", "lint"), { "aria-live": "off" });
    const show = event => {
      if (this.card.isConnected) showRow(event.target.closest("button.link[data-row]"));
      else removeEventListener("click", show);
    };
    addEventListener("click", show); // also of the rows among the numbers over the whole data set
  }

  /** Another batch; `text` is a hash of what the linter reads, template and data set. */
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
    this.card.innerHTML = reply.html; // every text in it was escaped by the server (playground/views/html.py)
    this.isComplete = reply.complete;
    this.card.dataset.complete = reply.complete;
    if (!reply.complete) this.ask(stamp);
  }
}

function showRow(button) {
  if (!button) return;
  document.querySelector("#order input")?.click(); // the file's order, the first choice
  type("#find textarea", "");
  type("#first input", button.dataset.row);
  document.querySelector("#lens").scrollIntoView({ block: "start" });
}

/** Fill a box as a visitor would. */
function type(selector, value) {
  const box = document.querySelector(selector);
  if (!box || box.value === String(value)) return;
  box.value = value;
  for (const name of ["input", "change"]) box.dispatchEvent(new Event(name, { bubbles: true }));
}
