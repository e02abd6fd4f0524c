// Two arrows to the pinned target: solid from the input that predicts it, dashed from the input that is the same token.
import { attrs } from "../parts.js";

const SVG = "http://www.w3.org/2000/svg";
const BESIDE_PX = 6; // between the two tips
const WING_PX = 9;
const WING_TURN = 0.45; // radians

/** The lines of an arrow as SVG paths: its shaft, its tip. */
export function arrowPaths(x, y, X, Y) {
  const turn = Math.atan2(Y - y, X - x);
  const wing = side => `${X - WING_PX * Math.cos(turn + side)} ${Y - WING_PX * Math.sin(turn + side)}`;
  return [`M${x} ${y}L${X} ${Y}`, `M${wing(WING_TURN)}L${X} ${Y}L${wing(-WING_TURN)}`];
}

export class Arrows {
  constructor() {
    this.node = attrs(document.createElementNS(SVG, "svg"), { class: "arrows", "aria-hidden": "true" });
  }

  /** place: of a target, or null for none. cells: nodes by key. */
  draw(place, batch, cells) {
    this.node.replaceChildren();
    const target = place && cells.get(`${place.row}/target/${place.t}`);
    if (!target) return;
    if (place.t + 1 < batch.lengths[place.row]) {
      this.#add(cells.get(`${place.row}/input/${place.t + 1}`), target, "same", BESIDE_PX);
    }
    this.#add(cells.get(`${place.row}/input/${place.t}`), target, "predicts", 0);
  }

  #add(source, target, className, beside) {
    if (!source) return; // beyond the columns shown
    const middle = node => node.offsetLeft + node.offsetWidth / 2;
    const bottom = source.offsetTop + source.offsetHeight;
    const paths = arrowPaths(middle(source), bottom, middle(target) + beside, target.offsetTop);
    for (const [i, d] of paths.entries()) {
      const path = document.createElementNS(SVG, "path");
      this.node.append(attrs(path, { class: i ? `${className} tip` : className, d }));
    }
  }
}
