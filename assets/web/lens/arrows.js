// Two arrows to the pinned target: solid from the input that predicts it, dashed from the input that is the same token.
import { attrs, renew } from "../parts.js";

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
    const target = place && cells.get(`${place.row}/target/${place.t}`);
    const input = t => cells.get(`${place.row}/input/${t}`);
    const isSameInRow = target && place.t + 1 < batch.lengths[place.row];
    const same = isSameInRow ? arrow(input(place.t + 1), target, "same", BESIDE_PX) : [];
    renew(this.node, target ? [...same, ...arrow(input(place.t), target, "predicts", 0)] : []);
  }
}

function arrow(source, target, className, beside) {
  if (!source) return []; // beyond the columns shown
  const middle = node => node.offsetLeft + node.offsetWidth / 2;
  const bottom = source.offsetTop + source.offsetHeight;
  const paths = arrowPaths(middle(source), bottom, middle(target) + beside, target.offsetTop);
  return paths.map((d, i) =>
    attrs(document.createElementNS(SVG, "path"), { class: i ? `${className} tip` : className, d }),
  );
}
