// Targets colored by what the models make of the very batch that is shown, before and after fine-tuning.
import { attrs, button, el } from "../parts.js";
import { TopTokens } from "./top_tokens.js";

const SHADES = { role: "role", before: "loss before", after: "loss after", difference: "difference" };
const FULL = 6; // nats at which the color is strongest
const PAUSE = 200; // milliseconds without a redraw, before the models are asked
const NO_RUN = "Needs a run: fine-tune first, or choose a run on tab 3.";

/**
 * How a loss is shown: {text, share of the full color, kind}; null where there is none.
 * at: a side's loss in nats, null or undefined where the row has ended.
 */
export function shownLoss(shade, at) {
  const isDifference = shade === "difference";
  const sides = isDifference ? [at("after"), at("before")] : [at(shade)];
  if (sides.some(value => value === undefined || value === null)) return null;
  const value = isDifference ? sides[0] - sides[1] : sides[0];
  const sign = value > 0 ? "+" : "−";
  const text = isDifference ? sign + Math.abs(value).toFixed(2) : value.toFixed(2);
  const kind = isDifference && value <= 0 ? "cool" : "hot";
  return { text, share: Math.min(1, Math.abs(value) / FULL), kind };
}

export class Losses {
  /** `redraw`: called when the cells' colors change. `lost`: where the server has forgotten the batch. */
  constructor(server, redraw, lost) {
    Object.assign(this, { server, redraw, lost, shade: "role", found: null, sides: {}, stamp: 0, timer: 0 });
    this.top = new TopTokens(server, lost);
    this.status = attrs(el("span", "muted"), { role: "status" });
    this.buttons = Object.entries(SHADES).map(([shade, text]) => {
      const one = button(text, () => this.choose(shade));
      one.shade = shade;
      return one;
    });
    this.node = attrs(el("div", "row shades", el("span", "muted", "Color targets by"), ...this.buttons, this.status), {
      role: "group",
      "aria-label": "What colors the targets",
    });
    this.showChoice();
  }

  /** Whether losses are asked for. */
  get on() {
    return this.shade !== "role";
  }

  /** A target's loss as it is shown, or null. */
  of(row, t) {
    if (!this.on || this.found?.stamp !== this.stamp) return null;
    return shownLoss(this.shade, side => this.found.losses[side]?.[row]?.[t]);
  }

  /** Another batch. */
  take({ stamp, sides }) {
    Object.assign(this, { stamp, sides });
    this.top.stamp = stamp;
    if (!sides.after && (this.shade === "after" || this.shade === "difference")) this.shade = "before";
    this.showChoice();
    this.ask();
  }

  choose(shade) {
    this.shade = shade;
    this.showChoice();
    this.ask();
    this.redraw();
  }

  showChoice() {
    for (const one of this.buttons) {
      one.setAttribute("aria-pressed", one.shade === this.shade);
      one.disabled = one.shade !== "role" && one.shade !== "before" && !this.sides.after;
      one.title = one.disabled ? NO_RUN : "";
    }
    this.top.show(this.on);
  }

  /** Once typing pauses. */
  ask() {
    clearTimeout(this.timer);
    if (this.on && this.found?.stamp !== this.stamp) {
      this.timer = setTimeout(() => this.fetch(), PAUSE);
      return;
    }
    this.status.textContent = "";
    this.top.ask();
  }

  async fetch() {
    const { stamp } = this;
    this.status.textContent = "The model reads the batch …";
    const reply = await this.server.lens_losses({ stamp }).catch(error => ({
      error: { what: "The server does not answer", where: "", fix: String(error) },
    }));
    if (stamp !== this.stamp) return; // about an older batch
    if (reply.gone) this.lost();
    this.found = reply.error ? null : { stamp, losses: reply };
    this.status.textContent = reply.error
      ? `${reply.error.what}. ${reply.error.fix}`
      : `0 to ${FULL} nats and more, of ${Object.values(this.sides).join(" and ")}`;
    this.redraw();
    this.top.ask();
  }
}
