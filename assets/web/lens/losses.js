// Targets colored by what the models make of the very batch that is shown, before and after fine-tuning.
import { attrs, el } from "../parts.js";
import { TopTokens } from "./top_tokens.js";

const SHADES = { role: "Role", before: "Loss before", after: "Loss after", difference: "Change" };
const PAUSE = 200; // milliseconds without a redraw, before the models are asked
const NO_RUN = "Needs a run: fine-tune first, or choose a run on tab 3.";
const NO_TARGETS = "Losses are shown where there are targets, from step 4 on.";

/** Losses in nats up to which a color reaches: one scale wherever the page shows a loss. */
export const LOSS_BINS = [0.1, 1, 3, 6];
const SAME = 0.05; // nats of change that are none
const MUCH = 1;

/** The number of a loss's color. */
export const lossBin = value => LOSS_BINS.filter(limit => value >= limit).length;

function changeKind(value) {
  if (Math.abs(value) < SAME) return "same";
  return `${value < 0 ? "better" : "worse"}-${Math.abs(value) < MUCH ? 1 : 2}`;
}

function changeText(value) {
  if (Math.abs(value) < SAME) return `±${Math.abs(value).toFixed(2)}`;
  return (value > 0 ? "+" : "−") + Math.abs(value).toFixed(2);
}

/**
 * How a loss is shown: {text, value, kind}; null where there is none.
 * at: a side's loss in nats, null or undefined where the row has ended.
 */
export function shownLoss(shade, at) {
  const isDifference = shade === "difference";
  const sides = isDifference ? [at("after"), at("before")] : [at(shade)];
  if (sides.some(value => value === undefined || value === null)) return null;
  const value = isDifference ? sides[0] - sides[1] : sides[0];
  if (isDifference) return { text: changeText(value), value, kind: changeKind(value) };
  return { text: value.toFixed(2), value, kind: `loss-${lossBin(value)}` };
}

export class Losses {
  /** `redraw`: called when the cells' colors change. `lost`: where the server has forgotten the batch. */
  constructor(server, redraw, lost) {
    Object.assign(this, { server, redraw, lost, shade: "role", found: null, sides: {}, stamp: 0, timer: 0 });
    this.hasTargets = true;
    this.top = new TopTokens(server, lost);
    this.status = attrs(el("span", "of"), { role: "status" });
    this.buttons = Object.entries(SHADES).map(([shade, text]) => {
      const one = attrs(el("button", "", text), { type: "button" });
      one.onclick = () => this.choose(shade);
      one.shade = shade;
      return one;
    });
    this.node = attrs(el("span", "seg shades", ...this.buttons), { role: "group", "aria-label": "Color targets by" });
    this.showChoice();
  }

  /** Whether losses are asked for. */
  get on() {
    return this.shade !== "role" && this.hasTargets;
  }

  /** A target's loss as it is shown, or null. */
  of(row, t) {
    if (!this.on || this.found?.stamp !== this.stamp) return null;
    return shownLoss(this.shade, side => this.found.losses[side]?.[row]?.[t]);
  }

  /** The mean loss over the batch's trained targets, as [before, after]; null where there is none. */
  means(batch) {
    if (this.found?.stamp !== this.stamp) return [];
    return ["before", "after"].map(side => mean(batch, this.found.losses[side])).filter(value => value !== null);
  }

  /** Another batch; `hasTargets`: whether the step has any. */
  take({ stamp, sides }, hasTargets) {
    Object.assign(this, { stamp, sides, hasTargets });
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
    const chosen = this.on ? this.shade : "role";
    for (const one of this.buttons) {
      one.setAttribute("aria-pressed", one.shade === chosen);
      one.title = this.#whyNot(one.shade);
      one.disabled = one.title !== "";
    }
    this.top.show(this.on);
  }

  #whyNot(shade) {
    if (shade === "role") return "";
    if (!this.hasTargets) return NO_TARGETS;
    return shade === "before" || this.sides.after ? "" : NO_RUN;
  }

  /** Once typing pauses. */
  ask() {
    clearTimeout(this.timer);
    if (this.on && this.found?.stamp !== this.stamp) {
      this.timer = setTimeout(() => this.fetch(), PAUSE);
      return;
    }
    if (!this.on) this.status.textContent = "";
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
      : `nats, of ${Object.values(this.sides).join(" and ")}`;
    this.redraw();
    this.top.ask();
  }
}

function mean(batch, losses) {
  if (!losses) return null;
  let [sum, count] = [0, 0];
  losses.forEach((line, row) => {
    line.forEach((value, t) => {
      if (value === null || !batch.isTrained(row, t)) return;
      sum += value;
      count += 1;
    });
  });
  return count ? sum / count : null;
}
