// The five tokens that each model finds likeliest after the pinned position.
import { percent } from "../numbers.js";
import { el } from "../parts.js";

const PAUSE = 150; // milliseconds at one position

function item([id, piece, share], target) {
  const fill = el("i");
  fill.style.width = percent(share).replace(" ", "");
  const cells = [el("code", "", piece), el("span", "share", fill), el("span", "n", percent(share))];
  const isTarget = id === target;
  return el("li", isTarget ? "hit" : "", ...cells, isTarget ? el("span", "chip good", "✓ the target") : "");
}

export class TopTokens {
  /** `lost`: called where the server has forgotten the batch. */
  constructor(server, lost) {
    Object.assign(this, { server, lost, stamp: 0, pin: null, isOn: false, timer: 0 });
    this.lists = el("div", "tops");
    this.card = el("div", "card", el("h2", "", "What the model would write here"), this.lists);
  }

  show(isOn) {
    this.isOn = isOn;
    this.card.hidden = !isOn;
  }

  /** Another position: {row, t, next, stamp}, or null. `next`: the id of the target. */
  take(pin) {
    const isSame = ["row", "t", "stamp"].every(name => pin?.[name] === this.pin?.[name]);
    if (isSame) return;
    this.pin = pin;
    this.ask();
  }

  ask() {
    clearTimeout(this.timer);
    if (this.isOn && this.pin) this.timer = setTimeout(() => this.fetch(), PAUSE);
    else this.lists.replaceChildren();
  }

  async fetch() {
    const { stamp, pin } = this;
    const reply = await this.server.lens_top({ stamp, row: pin.row, t: pin.t }).catch(() => ({ error: true }));
    if (stamp !== this.stamp || pin !== this.pin) return;
    if (reply.gone) this.lost();
    if (reply.error) return;
    const lists = Object.entries(reply).map(([side, best]) => {
      const list = el("ol", "", ...best.map(one => item(one, pin.next)));
      return el("div", "", el("b", "", side), list);
    });
    this.lists.replaceChildren(...lists);
    if (!lists.length) this.lists.append(el("p", "muted", "The row has ended here."));
  }
}
