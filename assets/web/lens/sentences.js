// The lens in words. No DOM.
import { count, percent } from "../numbers.js";
import { FORMAT, MASK_STEP } from "./batch.js";

const SHIFT_STEP = 4;
const LEGEND =
  "Solid arrow: input[t] predicts target[t]. Dashed arrow: target[t] is input[t + 1], moved one column left. " +
  "Underlined: the context the model sees.";

/** A cell as a screen reader says it. */
export function spoken(batch, { row, kind, t }, { id, role, masked, piece }, { isNew, loss }) {
  const line = kind === "other" ? `target under ${batch.view.other.mask}` : kind;
  const ignored = masked ? "minus 100, ignored, was " : "";
  const ending = `${isNew ? ", new to the model" : ""}${loss ? `, loss ${loss.text} nats` : ""}`;
  const cell = `${line} ${ignored}${piece}, id ${id}, ${batch.titles[role]}`;
  return `row ${batch.rows[row]}, position ${t}, ${cell}${ending}`;
}

/** What the arrows mean, where there are some. */
export const arrowsLegend = isPair => (isPair ? LEGEND : "");

/** What a position means at a step; `loss`: of a target, or null. */
export function explanation(batch, place, step, loss) {
  if (step === FORMAT) return "The template, filled in with each record. Colors show where every character comes from.";
  if (!place) return "No row trains anything: choose other roles or other rows.";
  return step >= SHIFT_STEP ? pairSentence(batch, place, step, loss) : idSentence(batch, place, step);
}

function idSentence(batch, { row, t }, step) {
  const cell = batch.cell(step, "ids", row, t);
  const name = batch.rows[row];
  if (!cell) return `Row ${name} has ended: it has ${batch.lengths[row] + 1} tokens.`;
  const what =
    cell.role === batch.numbers.pad
      ? "Padding up to the longest row, with the id of end-of-text."
      : `The token “${cell.piece}” has the id ${cell.id} (${batch.titles[cell.role]}).`;
  return `Row ${name}, t = ${t}. ${what}`;
}

function pairSentence(batch, { row, t }, step, loss) {
  const where = `Row ${batch.rows[row]}, t = ${t}.`;
  const tail = counts(batch, row, t, step, loss);
  if (t >= batch.lengths[row]) return `${where} Padding: the row ended before. ${tail}`;
  const last = batch.cell(step, "input", row, t);
  const target = batch.cell(step, "target", row, t);
  const context = `After ${t + 1} token${t ? "s" : ""} ending in “${last.piece}”`;
  const wanted = `“${target.piece}” (id ${target.id}, ${batch.titles[target.role]})`;
  return `${where} ${context} the model must predict ${wanted}. ${tail}`;
}

function counts(batch, row, t, step, loss) {
  const parts = step === MASK_STEP ? masks(batch, row, t) : [];
  if (loss) parts.push(`Loss here: ${loss.text} nats.`);
  return parts.join(" ");
}

function masks(batch, row, t) {
  const parts = [
    batch.isTrained(row, t)
      ? "This position counts in the loss."
      : "The target is −100: this position adds nothing to the loss.",
  ];
  if (batch.view.other) {
    const verb = batch.isTrained(row, t, "other") ? "counts" : "does not count";
    parts.push(`Under the mask “${batch.view.other.mask}” it ${verb}.`);
  }
  return parts;
}

/** The tiles above the grid, as [value, what it is]. */
export function tileTexts({ view, numbers }) {
  const answer = view.role_shares[numbers.response] + view.role_shares[numbers.eos];
  const cells = view.rows.length * view.width;
  const pads = Math.round(view.trained_tokens * view.role_shares[numbers.pad]);
  const trained = view.trained_tokens - pads;
  return [
    [`${view.rows.length} × ${view.width}`, "tensor shape (B × T)"],
    [percent(view.padding_share), `padding: ${count(view.padding)} of ${count(cells)} cells`],
    [
      percent(trained / Math.max(1, cells - view.padding)),
      `of the real tokens are trained: ${count(trained)}${pads ? `, and ${count(pads)} of padding` : ""}`,
    ],
    ...(view.other ? [secondMask(view)] : []),
    [percent(answer), "of the targets are response and end of text"],
  ];
}

function secondMask({ other, trained_tokens: tokens, trained_share: share }) {
  const value = tokens ? (other.trained_tokens / tokens) * share : 0;
  return [percent(value), `under the second mask, ${other.mask}: ${count(other.trained_tokens)}`];
}
