// Tab 5: curves of several runs over each other, and differences with their intervals. SVG, in the page's colors.

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 280, 52, 34];
const TICKS = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const FLOOR = 1e-4; // a loss of 0 has no logarithm
export const LETTERS = "ABCDEF";

/** A node of a picture. */
export function svg(tag, values, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(values)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Where losses of several curves are: a logarithmic scale over all of them. */
export function lossScale(curves) {
  const points = curves.flatMap(curve => curve.points);
  const logs = points.map(([, loss]) => Math.log(Math.max(loss, FLOOR)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const last = Math.max(1, ...points.map(([step]) => step));
  return {
    last,
    x: step => LEFT + ((WIDTH - LEFT - 40) * step) / last,
    y: loss => 10 + ((HEIGHT - BOTTOM - 10) * (high - Math.log(Math.max(loss, FLOOR)))) / (high - low || 1),
    ticks: TICKS.filter(tick => Math.log(tick) >= low && Math.log(tick) <= high),
  };
}

function axes({ x, y, ticks, last }) {
  const lines = ticks.flatMap(tick => [
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - 40, y1: y(tick), y2: y(tick) }),
    svg("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, String(tick)),
  ]);
  const steps = [0, 0.25, 0.5, 0.75, 1].map(part => Math.round(part * last));
  return [
    ...lines,
    ...steps.map(step => svg("text", { x: x(step), y: HEIGHT - 12, "text-anchor": "middle" }, String(step))),
  ];
}

function curve({ points }, number, { x, y }) {
  const at = points.map(([step, loss]) => `${x(step)},${y(loss)}`);
  const [step, loss] = points.at(-1);
  const dots = points.map(([s, l]) => svg("circle", { class: `dot run-${number}`, cx: x(s), cy: y(l), r: 4 }));
  const letter = svg("text", { class: "letter", x: x(step) + 10, y: y(loss) + 5 }, LETTERS[number]);
  return [svg("polyline", { class: `run-${number}`, points: at.join(" ") }), ...dots, letter];
}

/** The runs' validation losses over each other. */
export function curves(all) {
  const name = "Validation loss by step; the values are in the table below";
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name });
  const drawn = all.filter(one => one.points.length);
  if (!drawn.length) return picture;
  const scale = lossScale(drawn);
  picture.append(...axes(scale));
  for (const [number, one] of all.entries()) if (one.points.length) picture.append(...curve(one, number, scale));
  return picture;
}

/** How far the farthest end of any interval is from zero, in points of 100; at least one. */
export const reach = scores =>
  Math.max(1, ...scores.flatMap(({ interval }) => interval.map(end => 100 * Math.abs(end))));

function interval(score, title, row, half) {
  const at = points => WIDTH / 2 + (points * (WIDTH / 2 - 120)) / half;
  const [low, high] = score.interval.map(end => at(100 * end));
  const y = 26 + 30 * row;
  const kind = score.verdict === "decided" ? "decided" : "open";
  return [
    svg("text", { x: 0, y: y + 5 }, title),
    svg("line", { class: `reach ${kind}`, x1: low, x2: high, y1: y, y2: y }),
    svg("circle", { class: `point ${kind}`, cx: at(100 * score.difference), cy: y, r: 6 }),
  ];
}

/** Differences with their intervals: a filled point is decided, a hollow one is not. */
export function intervals(scores, titles) {
  const half = reach(scores);
  const height = 26 + 30 * scores.length;
  const name = "Differences with 95 % intervals; the numbers are in the table above";
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": name });
  picture.append(
    svg("line", { class: "zero", x1: WIDTH / 2, x2: WIDTH / 2, y1: 8, y2: height }),
    ...scores.flatMap((score, row) => interval(score, titles[score.score], row, half)),
  );
  return picture;
}
