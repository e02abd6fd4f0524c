// Tab 3: a run's state and its numbers.
import { count, rate } from "../numbers.js";
import { attrs, el, progress, tile } from "../parts.js";
import { sentences, smooth, speed, stepsDone } from "./record.js";

const STATES = {
  waiting: ["acc", "… waiting for its turn"],
  starting: ["acc", "▶ starting"],
  running: ["acc", "▶ running"],
  stopped: ["warn", "! stopped"],
  failed: ["bad", "✗ failed"],
  finished: ["good", "✓ finished"],
};

/** The card that says how the run is. */
export const statusCard = () => attrs(el("div", "card"), { role: "region", "aria-label": "State of the run" });

/** Fill it. */
export function drawStatus(card, record, reply) {
  const [kind, text] = STATES[reply.state] || ["", "no run"];
  const { done, total } = stepsDone(record);
  const steps = total ? `Step ${done} of ${total}` : "No step yet";
  const rows = [el("div", "row", el("span", `chip ${kind}`, text), el("b", "", steps), el("span", "mono", reply.run))];
  if (total) rows.push(progress("Steps done", done, total));
  rows.push(el("p", "muted", sentences(record, reply).join(" ")));
  for (const warning of [...record.warnings, ...(reply.note ? [reply.note] : [])]) {
    rows.push(el("p", "muted", el("span", "chip warn", "! note"), " ", warning));
  }
  if (record.error) rows.push(problem(record.error));
  for (const row of rows) row.style.marginTop = "6px";
  card.replaceChildren(...rows);
}

function problem({ what, where, fix }) {
  const parts = [
    ["Where", where],
    ["Fix", fix],
  ].filter(([, text]) => text);
  const list = el("dl", "", ...parts.flatMap(([name, text]) => [el("dt", "", name), el("dd", "", text)]));
  return el("div", "msg", el("h3", "", what), list);
}

/** Fill the tiles with the last step's numbers. */
export function drawTiles(box, record) {
  const last = record.steps.at(-1);
  box.hidden = !last;
  if (!last) return;
  const losses = smooth(record.steps.map(step => step.loss));
  const [first, newest] = [record.evaluations[0], record.evaluations.at(-1)];
  const validation = newest && [
    newest.loss.toPrecision(3),
    `validation loss at step ${newest.step} (was ${first.loss.toPrecision(3)})`,
  ];
  box.replaceChildren(
    tile(losses.at(-1).toPrecision(3), "training loss, smoothed (nats per token)"),
    ...(validation ? [tile(...validation)] : []),
    tile(count(Math.round(speed(record))), "tokens per second, padding not counted"),
    tile(rate(last.learning_rate), "learning rate"),
    tile(last.grad_norm.toPrecision(3), "gradient norm, before clipping"),
  );
}
