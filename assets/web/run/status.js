// Tab 3: a run's state in one line, honest: a loss that rose is never green.
import { count, duration, rate } from "../numbers.js";
import { attrs, el, progress } from "../parts.js";
import { remark, risen, secondsLeft, speed, stepsDone, whyRisen } from "./record.js";

const STATES = {
  waiting: ["acc", "… Waiting for its turn"],
  starting: ["acc", "▶ Starting"],
  running: ["acc", "▶ Running"],
  stopped: ["bad", "✗ Stopped"],
  failed: ["bad", "✗ Failed"],
  finished: ["good", "✓ Finished"],
};
const ROSE = { running: ["warn", "! Running, loss rose"], finished: ["warn", "! Finished, loss rose"] };

const fact = (value, text) => el("span", "fact", el("b", "", value), ` ${text}`);

/** [kind, text] of the state's chip. */
export function stateOf(record, { state }) {
  return (risen(record) && ROSE[state]) || STATES[state] || ["", "No run"];
}

/** The line that says how the run is. */
export const statusLine = () => attrs(el("div", "status"), { role: "region", "aria-label": "State of the run" });

/** Fill it. */
export function drawStatus(line, record, reply) {
  const [kind, text] = stateOf(record, reply);
  const { done, total } = stepsDone(record);
  const steps = total ? [fact(`Step ${done}`, `of ${total}`)] : [el("span", "fact", "No step yet")];
  if (total && reply.state === "running") steps.push(progress("Steps done", done, total));
  const why = problem(record) || rose(record) || remark(record, reply);
  line.className = `status ${kind}`;
  line.title = [record.machine, record.saved && `Last saved: ${record.saved}.`].filter(Boolean).join(" ");
  const words = el("span", "why", why);
  words.title = why;
  line.replaceChildren(el("span", `chip ${kind}`, text), ...steps, ...numbers(record, reply), ...(why ? [words] : []));
}

function problem({ error }) {
  return error ? [error.what, error.where, error.fix].filter(Boolean).join(". ").replaceAll("..", ".") : "";
}

function rose(record) {
  const found = risen(record);
  if (!found) return "";
  const [first, last] = [found.first, found.last].map(loss =>
    Number.isFinite(loss) ? loss.toPrecision(3) : "no number",
  );
  return `Validation ${first} → ${last}. ${whyRisen(record)}`;
}

function numbers(record, { state }) {
  const last = record.steps.at(-1);
  if (!last) return [];
  if (state === "running") {
    const left = secondsLeft(record);
    const ahead = left === null ? [] : [fact(duration(left), "left")];
    return [...ahead, fact(count(Math.round(speed(record))), "tokens per second")];
  }
  if (risen(record)) return [];
  const losses = record.evaluations.length > 1 ? [record.evaluations[0], record.evaluations.at(-1)] : [];
  const lowest = record.evaluations.reduce((a, b) => (b.loss < a.loss ? b : a), record.evaluations[0]);
  return [
    fact(duration(last.time_s), "of training"),
    ...(losses.length ? [fact(losses.map(({ loss }) => loss.toPrecision(3)).join(" → "), "validation")] : []),
    ...(lowest && lowest !== losses[1] ? [fact(lowest.loss.toPrecision(3), `lowest, step ${lowest.step}`)] : []),
  ];
}

/** The badge of the tab while a run goes on: how far it is, or that the loss rose. {text, kind} */
export function badge(record, reply) {
  if (reply.state !== "running" && reply.state !== "starting") return { text: "", kind: "" };
  if (risen(record)) return { text: "!", kind: "warn" };
  const { done, total } = stepsDone(record);
  return { text: total ? `${Math.floor((100 * done) / total)} %` : "…", kind: "acc" };
}

/** Learning rates as people write them. */
export const rateText = value => rate(value);
