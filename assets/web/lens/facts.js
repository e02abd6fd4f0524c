// Above the grid, in one line: the batch in numbers, and what colors and covers its targets.
import { percent } from "../numbers.js";
import { el, renew } from "../parts.js";
import { ROLES, roleColor } from "../roles.js";
import { factTexts } from "./sentences.js";

function shareBar(shares) {
  const parts = shares.map((share, role) => {
    const part = el("i");
    part.style.cssText = `width:${100 * share}%;background:${roleColor(role)}`;
    return part;
  });
  return el("span", "role-bar", ...parts);
}

const fact = (value, text) => el("span", "fact", el("b", "", value), ` ${text}`);

export class Facts {
  /** controls: nodes at the end of the line. */
  constructor(losses, ...controls) {
    this.losses = losses;
    this.numbers = el("div", "numbers");
    this.node = el("div", "facts", this.numbers, el("div", "right", ...controls));
  }

  draw(batch) {
    const facts = factTexts(batch).map(([value, text, more]) => {
      const node = fact(value, text);
      node.title = more;
      return node;
    });
    renew(this.numbers, [...facts, this.#end(batch)]);
  }

  /** What the loss comes from, or what it is. */
  #end(batch) {
    const means = this.losses.on ? this.losses.means(batch) : [];
    if (means.length) return el("span", "fact", "loss ", el("b", "", means.map(value => value.toFixed(2)).join(" → ")));
    const bar = shareBar(batch.view.role_shares);
    const shares = batch.view.role_shares.map((share, role) => share && `${ROLES[role].title} ${percent(share)}`);
    bar.title = `The trained targets: ${shares.filter(Boolean).join(", ")}`;
    return bar;
  }
}
