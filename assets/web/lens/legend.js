// Under the grid: what colors, letters and signs mean; the whole scale where a loss is shown.
import { el, fill, renew } from "../parts.js";
import { ROLES, roleClass } from "../roles.js";
import { MASK_STEP } from "./batch.js";
import { LOSS_BINS } from "./losses.js";

/** A swatch and its meaning. */
const entry = (className, letter, text) => el("li", "", el("i", `sw ${className}`, letter), text);

function lossEntries() {
  const names = LOSS_BINS.map((limit, i) => (i ? `${LOSS_BINS[i - 1]}–${limit}` : `under ${limit}`));
  return [...names, `over ${LOSS_BINS.at(-1)}`].map((name, i) => entry(`flat loss-${i}`, "", name));
}

const changeEntries = () => [
  entry("flat better-2", "−", "over 1 better"),
  entry("flat better-1", "−", "better"),
  entry("flat same", "±", "same"),
  entry("flat worse-1", "+", "worse"),
  entry("flat worse-2", "+", "over 1 worse"),
];

export class Legend {
  /** losses: says what the targets are colored by. */
  constructor(losses) {
    const template = roleClass(0);
    this.losses = losses;
    this.masked = entry(`m ${template}`, "", "−100 ignored");
    this.unknown = entry(`u ${template}`, "?", "new to the model");
    this.untrained = entry("flat nt", "", "not trained");
    this.roles = ROLES.map(({ letter, title }, role) => entry(roleClass(role), letter, title));
    this.node = el("ul", "legend");
  }

  draw(batch, step) {
    this.masked.hidden = step < MASK_STEP;
    this.unknown.hidden = !batch.unknown.size;
    const { on, shade, status } = this.losses;
    if (on) renew(this.node, this.#scale(shade, status));
    else fill(this.node, [...this.roles, this.masked, this.unknown]);
  }

  #scale(shade, status) {
    const entries = shade === "difference" ? changeEntries() : lossEntries();
    return [...entries, this.untrained, el("li", "", status)];
  }
}
