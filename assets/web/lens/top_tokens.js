// The five tokens that each model finds likeliest after the pinned position.
import { percent } from "../numbers.js";
import { attrs, el } from "../parts.js";

const PAUSE = 150; // milliseconds at one position
const TITLES = { before: "Before would write", after: "After would write" };
const LEAST = 0.001; // of a share that is written as a number
const COVERED = "The models’ own guesses show when the cell is uncovered.";

/** A line with its share behind the text. */
function item([id, piece, share], target) {
  const bar = el("i");
  bar.style.width = percent(share).replace(" ", "");
  const isTarget = id === target;
  const sign = isTarget ? [attrs(el("b", "good", "✓ "), { role: "img", "aria-label": "the target" })] : [];
  const text = el("span", "t", ...sign, piece);
  return el("li", isTarget ? "hit" : "", bar, text, el("span", "p", share < LEAST ? "<0.1 %" : percent(share)));
}

export class TopTokens {
  /** `lost`: called where the server has forgotten the batch. */
  constructor(server, lost) {
    Object.assign(this, { server, lost, stamp: 0, pin: null, isOn: false, timer: 0 });
    this.lists = el("div", "tops");
    this.card = el("div", "top5", this.lists);
  }

  show(isOn) {
    this.isOn = isOn;
    this.card.hidden = !isOn;
  }

  /** Another position: {row, t, next, stamp, isCovered}, or null. `next`: the id of the target. */
  take(pin) {
    const isSame = ["row", "t", "stamp", "isCovered"].every(name => pin?.[name] === this.pin?.[name]);
    if (isSame) return;
    this.pin = pin;
    this.ask();
  }

  ask() {
    clearTimeout(this.timer);
    if (this.isOn && this.pin?.isCovered) this.lists.replaceChildren(el("p", "muted", COVERED));
    else if (this.isOn && this.pin) this.timer = setTimeout(() => this.fetch(), PAUSE);
    else this.lists.replaceChildren();
  }

  async fetch() {
    const { stamp, pin } = this;
    const reply = await this.server.lens_top({ stamp, row: pin.row, t: pin.t }).catch(() => ({ error: true }));
    if (stamp !== this.stamp || pin !== this.pin) return;
    if (reply.gone) this.lost();
    if (reply.error) return;
    const lists = Object.entries(reply).map(([side, best]) => {
      return el("div", side, el("h3", "", TITLES[side]), el("ol", "", ...best.map(one => item(one, pin.next))));
    });
    this.lists.replaceChildren(...lists);
    if (!lists.length) this.lists.append(el("p", "muted", "The row has ended here."));
  }
}
