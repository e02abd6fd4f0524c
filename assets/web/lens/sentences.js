// The lens in words. No DOM.
import { count, percent } from "../numbers.js";
import { columnsOn, FORMAT, MASK_STEP, SHIFT_STEP } from "./batch.js";

const STEP_TEXTS = [
  "The template turns each record into one text. Color shows where each piece comes from.",
  "Text becomes token ids. An end-of-text token (EOS, 50256) closes each row.",
  "Rows are padded with 50256 to one width, so that they stack into one tensor.",
  "Each target is the next input: the row moves one position to the left.",
  "Targets that you don’t train become −100. The loss ignores them.",
];
const LABEL_TEXTS = {
  [SHIFT_STEP]: "Hugging Face labels are a copy of the row: the model itself moves them one to the left.",
  [MASK_STEP]: "Labels that you don’t train become −100. The model moves them, then the loss ignores these.",
};
const ARROWS =
  "Solid arrow: input[t] predicts target[t]. Dashed arrow: target[t] is input[t + 1], moved one column left. " +
  "Underlined: the context the model sees.";

/** What a step does, in one sentence. */
export const stepText = ({ step, asLabels }) => (asLabels && LABEL_TEXTS[step]) || STEP_TEXTS[step - 1];

/** What the arrows and the underline mean, where there are some. */
export const arrowsText = isPair => (isPair ? ARROWS : "");

/** A cell as a screen reader says it. */
export function spoken(batch, { row, kind, t }, { id, role, masked, piece }, { isNew, loss }) {
  const line = kind.startsWith("other") ? `target under ${batch.view.other.mask}` : kind;
  const ignored = masked ? "minus 100, ignored, was " : "";
  const ending = `${isNew ? ", new to the model" : ""}${loss ? `, loss ${loss.text} nats` : ""}`;
  const cell = `${line} ${ignored}${piece}, id ${id}, ${batch.titles[role]}`;
  return `row ${batch.rows[row]}, position ${t}, ${cell}${ending}`;
}

/** A covered cell, as a screen reader says it. */
export const spokenCovered = (batch, { row, kind, t }) => `row ${batch.rows[row]}, position ${t}, ${kind}, covered`;

/** What is asked about a covered target. */
export function guess(batch, { row, t, kind }, step) {
  const last = batch.cell(step, "input", row, t - columnsOn(kind === "input" ? "target" : kind));
  return `What comes after “${last.piece}”? Type a guess, or press Space to see it.`;
}

/** What a position means; pane: what is shown. `loss`: of its target as shown, or null. */
export function explanation(batch, place, { step, asLabels }, loss) {
  if (step === FORMAT) return "The template, filled in with each record. Colors show where every character comes from.";
  if (!place) return "No row trains anything: choose other roles or other rows.";
  if (step < SHIFT_STEP) return idSentence(batch, place, step);
  return asLabels ? labelSentence(batch, place, step, loss) : pairSentence(batch, place, step, loss);
}

function idSentence(batch, { row, t }, step) {
  const cell = batch.cell(step, "ids", row, t);
  if (!cell) return `Row ${batch.rows[row]} has ended: it has ${batch.lengths[row] + 1} tokens.`;
  return cell.role === batch.numbers.pad
    ? "Padding up to the longest row, with the id of end-of-text."
    : `The token “${cell.piece}” has the id ${cell.id} (${batch.titles[cell.role]}).`;
}

function pairSentence(batch, { row, t }, step, loss) {
  const tail = counts(batch, row, t, step, loss);
  if (t >= batch.lengths[row]) return `Padding: the row ended before. ${tail}`;
  const last = batch.cell(step, "input", row, t);
  const target = batch.cell(step, "target", row, t);
  const context = `After ${t + 1} token${t ? "s" : ""} ending in “${last.piece}”`;
  const wanted = `“${target.piece}” (id ${target.id}, ${batch.titles[target.role]})`;
  return `${context} the model must predict ${wanted}. ${tail}`;
}

function labelSentence(batch, { row, t }, step, loss) {
  if (t === 0) return "The first label: no position comes before it, so that nothing predicts it.";
  if (t > batch.lengths[row]) return `Padding: the row ended before. ${counts(batch, row, t - 1, step, loss)}`;
  const label = batch.cell(step, "ids", row, t);
  const what = `The label of “${label.piece}” (id ${label.id}, ${batch.titles[label.role]}) stands in its own column`;
  return `${what}; the model predicts it one position before. ${counts(batch, row, t - 1, step, loss)}`;
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

/** The batch in numbers, as [value, what it is, more about it] each. */
export function factTexts({ view, numbers }) {
  const cells = view.rows.length * view.width;
  const pads = Math.round(view.trained_tokens * view.role_shares[numbers.pad]);
  const trained = view.trained_tokens - pads;
  const real = cells - view.padding;
  return [
    [`${view.rows.length} × ${view.width}`, "batch × tokens", "The tensor's shape: B × T"],
    [percent(view.padding_share), "padding", `${count(view.padding)} of ${count(cells)} cells`],
    [
      percent(trained / Math.max(1, real)),
      pads ? `trained, and ${count(pads)} of padding` : "trained",
      `${count(trained)} of ${count(real)} real tokens`,
    ],
    ...(view.other ? [secondMask(view)] : []),
  ];
}

function secondMask({ other, trained_tokens: tokens, trained_share: share }) {
  const value = tokens ? (other.trained_tokens / tokens) * share : 0;
  return [percent(value), "2nd mask", `Under the second mask, ${other.mask}: ${count(other.trained_tokens)}`];
}
