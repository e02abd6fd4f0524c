// Small charts of a run, as plain SVG: drawn anew with every answer of the server, they must cost next to nothing.
import { attrs, el } from "../parts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300; // of the drawing; it is stretched to its box
const HEIGHT = 100;
const LEAST = 1e-4; // of a logarithmic axis

const shape = (name, values) => attrs(document.createElementNS(SVG, name), values);

/** Where values stand in the drawing: a function of a value, for points from the lowest to the highest. */
function scaleOf(values, isLog) {
  const place = isLog ? value => Math.log10(Math.max(LEAST, value)) : value => value;
  const places = values.map(place);
  const [low, high] = [Math.min(...places, ...(isLog ? [] : [0])), Math.max(...places)];
  return value => HEIGHT - 4 - ((place(value) - low) / (high - low || 1)) * (HEIGHT - 8);
}

/**
 * A figure with a title, its last value, and lines: {points: [[x, y]], className} each.
 * total: the last x. mark: an x with a line through it, or null.
 */
export function smallChart(title, { lines, total, mark, isLog = false, value = "", legend = [] }) {
  const drawing = attrs(shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" }), {
    role: "img",
    "aria-label": `${title}${value && `: now ${value}`}`,
  });
  const all = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const y = scaleOf(all.length ? all : [0], isLog);
  const x = step => (WIDTH * step) / Math.max(1, total);
  for (const { points, className } of lines) {
    const d = points.filter(([, v]) => Number.isFinite(v)).map(([s, v]) => `${x(s).toFixed(1)} ${y(v).toFixed(1)}`);
    if (d.length) drawing.append(shape("path", { d: `M${d.join("L")}`, class: className }));
  }
  if (mark !== null) drawing.append(shape("path", { d: `M${x(mark)} 0V${HEIGHT}`, class: "mark" }));
  const caption = el("figcaption", "", el("b", "", title), ...legend, el("span", "value", value));
  const ends = el("span", "axis", el("span", "", "0"), el("span", "", `step ${total}`));
  return el("figure", "", caption, el("div", "drawing", drawing), ends);
}
