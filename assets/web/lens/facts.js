// Above the grid: the batch in numbers, and what colors and letters mean.
import { el, tile } from "../parts.js";
import { ROLES, roleClass, roleColor } from "../roles.js";
import { MASK_STEP } from "./batch.js";
import { tileTexts } from "./sentences.js";

function shareBar(shares) {
  const parts = shares.map((share, role) => {
    const part = el("i");
    part.style.cssText = `width:${100 * share}%;background:${roleColor(role)}`;
    return part;
  });
  return el("div", "sbar", ...parts);
}

/** A swatch and its meaning. */
const entry = (className, letter, text) => el("li", "", el("i", `sw ${className}`, letter), text);

export class Facts {
  constructor() {
    const template = roleClass(0);
    this.tiles = el("div", "tiles");
    this.masked = entry(`m ${template}`, "", "−100: ignored by the loss");
    this.unknown = entry(`u ${template}`, "?", "new to the model");
    const roles = ROLES.map(({ letter, title }, role) => entry(roleClass(role), letter, title));
    this.legend = el("ul", "legend", ...roles, this.masked, this.unknown);
  }

  draw(batch, step) {
    this.masked.hidden = step < MASK_STEP;
    this.unknown.hidden = !batch.unknown.size;
    const tiles = tileTexts(batch).map(([value, text]) => tile(value, text));
    tiles.at(-1).append(shareBar(batch.view.role_shares));
    this.tiles.replaceChildren(...tiles);
  }
}
