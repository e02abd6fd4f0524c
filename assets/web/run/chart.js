// Tab 3: training and validation loss by step.
import { attrs, button, el, scroll, table } from "../parts.js";
import { clear, plot, withPlotly } from "../plot.js";
import { smooth } from "./record.js";

const TICKS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]; // of a logarithmic loss axis
const VALIDATION = 2; // the number of its trace

/** The curve's traces: each training step, their smoothed mean, the evaluations. */
export function traces({ steps, evaluations }) {
  const x = steps.map(s => s.step);
  const y = steps.map(s => s.loss);
  const training = { x, mode: "lines" };
  const hollow = { size: 9, color: "--page", line: { color: "--ink", width: 2 } };
  return [
    { ...training, y, name: "training, each step", line: { color: "--acc", width: 1 }, opacity: 0.45 },
    { ...training, y: smooth(y), name: "training, smoothed", line: { color: "--acc", width: 3 }, hoverinfo: "skip" },
    {
      x: evaluations.map(e => e.step),
      y: evaluations.map(e => e.loss),
      name: "validation",
      mode: "lines+markers",
      line: { color: "--ink", width: 2, dash: "dash" },
      marker: hollow,
    },
  ];
}

function axes(record, { chosen, isLog }) {
  const total = record.evaluations[0]?.total_steps || record.steps[0].total_steps;
  const line = { type: "line", xref: "x", yref: "paper", x0: chosen, x1: chosen, y0: 0, y1: 1 };
  const kind = isLog ? { tickvals: TICKS, ticktext: TICKS.map(String) } : { rangemode: "tozero" };
  return {
    uirevision: `${record.run}${isLog}`, // the zoom stays as long as this does
    shapes: chosen === null ? [] : [{ ...line, line: { color: "--focus", width: 2 } }],
    xaxis: { title: { text: "step" }, range: [-0.01 * total, 1.02 * total] },
    yaxis: { title: { text: "loss" }, type: isLog ? "log" : "linear", ...kind },
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

/** The card with the curve. `choose` is called with the step of a point that was clicked. */
export class Chart {
  constructor(element, choose) {
    Object.assign(this, { choose, record: null, chosen: null, isLog: true, isHeld: false, listed: 0 });
    this.host = attrs(el("div", "plot"), { role: "group", "aria-label": "Training and validation loss by step" });
    this.summary = el("p", "sum");
    this.values = el("details");
    this.scale = button("Log scale", () => {
      this.isLog = !this.isLog;
      this.draw();
    });
    const title = el("div", "row sp", el("h2", "", "Loss, nats per trained token"), this.scale);
    this.card = el("div", "card", title, this.host, this.summary, this.values);
    this.draw = withPlotly(() => this.drawNow());
    this.watchMouse(element);
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
    this.card.hidden = true;
  }

  drawNow() {
    const { record, host } = this;
    this.card.hidden = !record.steps.length && !record.evaluations.length;
    if (this.card.hidden || this.isHeld) return;
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
