// Tab 3: a run while it goes on and after: state, curve and answers side by side, one chosen step for all.
import { keepPage } from "../link.js";
import { attrs, el } from "../parts.js";
import { poll, teller } from "../poll.js";
import { ROLES, roleClass } from "../roles.js";
import { onTheme } from "../theme.js";
import { Answers } from "./answers.js";
import { Chart } from "./chart.js";
import { RunName } from "./name.js";
import { append, evaluationsToCome, fresh, nearest, sampledSteps, stepsDone } from "./record.js";
import { smallChart } from "./small.js";
import { badge, drawStatus, rateText, statusLine } from "./status.js";
import { offerRate, showLive, showRunning } from "./view.js";

class RunView {
  constructor(element, named) {
    this.root = element.querySelector(".run");
    this.name = new RunName(named);
    this.status = statusLine();
    this.notes = attrs(el("details", "notes"), { "aria-label": "What the run warned of" });
    this.chart = new Chart(element, step => this.choose(nearest(this.record, step)));
    this.small = el("div", "small");
    this.answers = new Answers(step => this.choose(step));
    const left = el("div", "left", this.chart.card, this.small);
    this.columns = el("div", "cols", left, this.answers.card);
    this.root.append(this.name.node, this.status, this.notes, this.columns);
    this.reset(null);
  }

  reset(run) {
    this.record = fresh(run);
    this.chart.reset(this.record);
    this.answers.reset();
    this.small.replaceChildren();
    this.root.hidden = !run;
    this.status.replaceChildren();
    this.notes.hidden = true;
    this.columns.hidden = true;
  }

  take(reply) {
    this.root.hidden = reply.state === "unknown";
    showRunning(badge(this.record, reply));
    if (this.root.hidden) return;
    append(this.record, reply);
    if (reply.resumed !== null) this.goBack(reply.resumed);
    this.name.draw(this.record);
    drawStatus(this.status, this.record, reply);
    offerRate(this.status, this.record, reply);
    showRunning(badge(this.record, reply));
    this.drawNotes(reply.note);
    this.columns.hidden &&= reply.over;
    if (reply.steps.length || reply.evaluations.length || reply.samples.length) this.drawAll();
  }

  /** The run goes on from an earlier step: what is marked beyond it is not there any more. */
  goBack(step) {
    if (this.chart.chosen > step) this.chart.chosen = null;
    this.chart.listed = 0;
  }

  /** A step for curve, small charts and answers; null follows the run. */
  choose(step) {
    this.chart.chosen = step;
    this.drawAll();
  }

  drawAll() {
    this.columns.hidden = false;
    const steps = sampledSteps(this.record);
    const { chosen } = this.chart;
    const step = chosen ?? steps.at(-1);
    this.chart.choices(steps, step);
    this.chart.draw();
    this.drawSmall(chosen);
    this.answers.draw(this.record, { steps, step, isLatest: chosen === null, todo: evaluationsToCome(this.record) });
  }

  drawNotes(note) {
    const warnings = [...this.record.warnings, ...(note ? [note] : [])];
    this.notes.hidden = !warnings.length;
    if (this.notes.hidden) return;
    const title = `! ${warnings.length === 1 ? "1 note" : `${warnings.length} notes`}`;
    const list = warnings.map(text => el("p", "muted", text));
    this.notes.replaceChildren(el("summary", "warn", title), ...list);
  }

  drawSmall(mark) {
    const { evaluations, steps } = this.record;
    const { total } = stepsDone(this.record);
    const last = steps.at(-1);
    const of = name => steps.map(step => [step.step, step[name]]);
    const line = points => [{ points, className: "line" }];
    const about = { total, mark };
    const figures = [this.byRole(evaluations, about)];
    if (last) {
      const now = { rate: rateText(last.learning_rate), norm: last.grad_norm?.toPrecision(2) ?? "none" };
      figures.push(smallChart("Learning rate", { ...about, lines: line(of("learning_rate")), value: now.rate }));
      figures.push(smallChart("Gradient norm", { ...about, lines: line(of("grad_norm")), value: now.norm }));
    }
    this.small.replaceChildren(...figures);
  }

  byRole(evaluations, about) {
    const latest = evaluations.at(-1)?.loss_by_role || {};
    const roles = ROLES.map(({ label }, number) => ({ label, number })).filter(({ label }) => label in latest);
    const lines = roles.map(({ label }) => ({
      points: evaluations.map(({ step, loss_by_role: byRole }) => [step, byRole[label]]),
      className: `line of-${label}`,
    }));
    const legend = roles.map(({ label, number }) =>
      el("span", "entry", el("i", `sw ${roleClass(number)}`, ROLES[number].letter), latest[label].toPrecision(2)),
    );
    return smallChart("Validation loss by role", { ...about, lines, legend, isLog: true });
  }
}

/** The component. `events.changed` hears of another state, `events.named` of a name or a note. */
export function run(element, props, watch, events, server) {
  const view = new RunView(element, events.named);
  const tell = teller(events.changed);
  poll(element, props, watch, {
    ask: query => server.poll_training(query),
    reset: id => {
      view.reset(id);
      keepPage({ run: id ?? undefined });
    },
    take: reply => {
      tell(reply);
      showLive(reply);
      view.take(reply);
    },
  });
  onTheme(element, () => view.chart.draw());
}
