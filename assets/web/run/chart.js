// Tab 3: training and validation loss by step.
import { attrs, button, el, scroll, table } from "../parts.js";
import { clear, plot, withPlotly } from "../plot.js";
import { smooth } from "../replay/replay.js";

const VALIDATION = 2; // the number of its trace
const SHORT = 2; // the highest by the lowest value of a logarithmic axis, below which its ticks are a plain one's
const DENSE_BELOW = 1.2; // decades
const SPARSE_FROM = 3.5;
const DIGITS = [[1, 2, 3, 5, 7], [1, 3], [1]];
const NICE = [1, 2, 5, 10];
const PARTS = 5; // into which ticks divide a short axis

/** Ticks at round numbers from low to high. */
function evenTicks(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low || high) / PARTS));
  const apart = power * NICE.find(nice => nice * power * PARTS >= high - low);
  const from = Math.floor(low / apart);
  return Array.from({ length: PARTS + 3 }, (_, i) => Number(((from + i) * apart).toPrecision(6)));
}

/** Ticks of a logarithmic axis over these values: as many as stand apart, at round numbers. */
export function logTicks(values) {
  const known = values.filter(value => value > 0 && Number.isFinite(value));
  if (!known.length) return [0.1, 1, 10];
  const [lowest, highest] = [Math.min(...known), Math.max(...known)];
  if (highest < SHORT * lowest) return evenTicks(lowest, highest);
  const [low, high] = [lowest, highest].map(Math.log10);
  const digits = DIGITS[high - low < DENSE_BELOW ? 0 : high - low < SPARSE_FROM ? 1 : 2];
  const ticks = [];
  for (let decade = Math.floor(low) - 1; decade <= Math.ceil(high); decade++) {
    for (const digit of digits) ticks.push(Number(`${digit}e${decade}`));
  }
  return ticks;
}

/** The curve's traces: each training step, their smoothed mean, the evaluations. */
export function traces({ steps, evaluations }) {
  const x = steps.map(s => s.step);
  const y = steps.map(s => s.loss);
  const training = { x, mode: "lines" };
  const hollow = { size: 10, color: "--page", line: { color: "--ink", width: 2 } };
  const words = what => `step %{x} · ${what} %{y:.3g} nats per token<extra></extra>`;
  return [
    {
      ...training,
      y,
      name: "each step",
      line: { color: "--acc", width: 1 },
      opacity: 0.4,
      hovertemplate: words("training loss"),
    },
    { ...training, y: smooth(y), name: "smoothed", line: { color: "--acc", width: 3 }, hoverinfo: "skip" },
    {
      x: evaluations.map(e => e.step),
      y: evaluations.map(e => e.loss),
      name: "validation",
      mode: "lines+markers",
      line: { color: "--ink", width: 2, dash: "dash" },
      marker: hollow,
      hovertemplate: words("validation loss"),
    },
  ];
}

/** The chosen step: a line, and its validation loss in words. */
function chosenMark({ evaluations }, chosen, isLog) {
  if (chosen === null) return {};
  const line = { type: "line", xref: "x", yref: "paper", x0: chosen, x1: chosen, y0: 0, y1: 1 };
  const shapes = [{ ...line, line: { color: "--focus", width: 2 } }];
  const at = evaluations.find(({ step }) => step === chosen);
  if (!at || !(at.loss > 0)) return { shapes };
  const label = {
    x: chosen,
    y: isLog ? Math.log10(at.loss) : at.loss,
    text: `step ${chosen} · ${at.loss.toPrecision(3)}`,
    ...{ showarrow: false, yshift: 22, bgcolor: "--focus", borderpad: 3, font: { color: "--page" } },
  };
  const total = evaluations.at(-1).total_steps;
  return { shapes, annotations: [{ ...label, xanchor: chosen > total / 2 ? "right" : "left" }] };
}

function axes(record, { chosen, isLog }) {
  const total = record.evaluations[0]?.total_steps || record.steps[0].total_steps;
  const ticks = logTicks([...record.steps, ...record.evaluations].map(({ loss }) => loss));
  const kind = isLog ? { tickvals: ticks, ticktext: ticks.map(String) } : { rangemode: "tozero" };
  return {
    uirevision: `${record.run}${isLog}`, // the zoom stays as long as this does
    showlegend: false,
    ...chosenMark(record, chosen, isLog),
    xaxis: { title: { text: "step" }, range: [-0.01 * total, 1.02 * total] },
    yaxis: { type: isLog ? "log" : "linear", ...kind },
  };
}

function summary({ evaluations }) {
  if (evaluations.length < 2) return "The first points.";
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  const losses = [first, last].map(({ loss, step }) => `${loss.toPrecision(3)} at step ${step}`);
  return `Validation loss went from ${losses.join(" to ")}.`;
}

function evaluationRow({ step, loss, loss_by_role: byRole }) {
  const roles = Object.entries(byRole).map(([role, value]) => `${role} ${value.toPrecision(3)}`);
  const cells = [el("td", "n", String(step)), el("td", "n", loss.toPrecision(4)), el("td", "", roles.join(", "))];
  return el("tr", "", ...cells);
}

const KEYS = [
  ["raw", "each step"],
  ["smooth", "smoothed"],
  ["val", "validation: choose a marker"],
];

/** The card with the curve, and below it the scrubber. `choose` is called with a step. */
export class Chart {
  constructor(element, choose) {
    Object.assign(this, { choose, record: null, chosen: null, isLog: true, isHeld: false, listed: 0, steps: [] });
    this.host = attrs(el("div", "plot"), { role: "group", "aria-label": "Training and validation loss by step" });
    this.summary = el("p", "sum");
    this.values = el("details");
    this.scale = button("Log scale", () => {
      this.isLog = !this.isLog;
      this.draw();
    });
    const keys = el("ul", "keys", ...KEYS.map(([kind, text]) => el("li", "", el("i", `key ${kind}`), text)));
    const title = el("header", "", el("h2", "", "Loss per trained token, nats"), keys, this.scale);
    this.slider = attrs(el("input"), { type: "range", min: 0, "aria-label": "Evaluation to show" });
    this.slider.oninput = () => this.choose(this.steps[this.slider.value]);
    this.scrub = el("label", "scrub", this.slider);
    this.wait = el("p", "wait", "The curve begins with the first evaluation, before the first step.");
    this.card = el(
      "section",
      "chart",
      title,
      this.wait,
      this.host,
      this.scrub,
      el("div", "below", this.summary, this.values),
    );
    this.draw = withPlotly(() => this.drawNow());
    this.watchMouse(element);
  }

  /** The steps that can be chosen, and the one that is. */
  choices(steps, at) {
    this.steps = steps;
    this.scrub.hidden = steps.length < 2;
    attrs(this.slider, { max: Math.max(1, steps.length - 1), "aria-valuetext": `step ${at}` });
    this.slider.value = steps.indexOf(at);
  }

  /** A redraw would end the zoom that a held mouse is drawing: it waits. */
  watchMouse(element) {
    this.host.addEventListener("mousedown", () => (this.isHeld = true), true);
    const release = () => {
      if (!element.isConnected) {
        removeEventListener("mouseup", release, true);
      } else if (this.isHeld) {
        this.isHeld = false;
        setTimeout(this.draw);
      }
    };
    addEventListener("mouseup", release, true);
  }

  /** Another run. */
  reset(record) {
    clear(this.host);
    this.host.listening = false;
    Object.assign(this, { record, chosen: null, listed: 0 });
    this.wait.hidden = false;
    this.host.hidden = true;
    this.scrub.hidden = true;
    this.summary.textContent = "";
    this.values.replaceChildren();
  }

  drawNow() {
    const { record, host } = this;
    const hasPoints = record.steps.length > 0 || record.evaluations.length > 0;
    this.wait.hidden = hasPoints;
    this.host.hidden = !hasPoints;
    if (!hasPoints || this.isHeld) return;
    this.scale.setAttribute("aria-pressed", this.isLog);
    plot(host, traces(record), axes(record, this));
    if (!host.listening) {
      host.listening = true;
      host.on("plotly_click", ({ points }) => {
        this.choose((points.find(point => point.curveNumber === VALIDATION) || points[0]).x);
      });
    }
    this.summary.textContent = summary(record);
    if (this.listed !== record.evaluations.length) this.list();
  }

  list() {
    const { evaluations } = this.record;
    this.listed = evaluations.length;
    const head = [["Step", "n"], ["Validation loss", "n"], ["By role of the target"]];
    const values = scroll("Evaluations", table(head, evaluations.map(evaluationRow)));
    this.values.replaceChildren(el("summary", "", "Values as a table"), values);
  }
}
