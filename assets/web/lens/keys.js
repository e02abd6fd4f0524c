// What the keys of the grid do; they act only while it has the focus. No DOM.
import { columnsOn, STEPS } from "./batch.js";

/** [keys, what they do], for the list of keys. */
export const KEYS = [
  ["← → ↑ ↓", "one cell"],
  ["Home End", "first, last position of the row"],
  ["1 – 5", "the step"],
  ["M", "the next mask"],
  ["F", "fold the shared prefix"],
  ["C", "cover the targets: guess"],
  ["Enter", "guess a covered target"],
  ["Space", "uncover it without a guess"],
  ["R", "the response"],
  ["E", "the end of the row"],
  ["L", "Hugging Face labels"],
  ["Page up, Page down", "other rows"],
  ["[", "the rail beside the grid"],
  ["?", "this list"],
];

const FAR = 1e6; // columns: beyond any row
const MOVES = {
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
  ArrowDown: [1, 0],
  ArrowUp: [-1, 0],
  Home: [0, -FAR],
  End: [0, FAR],
};

const ACTS = { m: "mask", f: "fold", c: "covered", l: "labels" };

/** What a key does anywhere in the grid: {act, by}; null for others. */
export function action(key) {
  if (key === "?") return { act: "help" };
  if (key === "[") return { act: "rail" };
  if (key === "PageDown" || key === "PageUp") return { act: "turn", by: key === "PageDown" ? 1 : -1 };
  const step = Number(key);
  return Number.isInteger(step) && STEPS[step - 1] ? { act: "go", by: step } : null;
}

/** What a key does on a cell: {act} or {act: "show", place}, a place whose t may be beyond the row; null for others. */
export function cellAction(key, here, batch, pane) {
  const letter = key.toLowerCase();
  if (ACTS[letter]) return { act: ACTS[letter] };
  if (key === "Enter" && pane.hasTargets) return { act: "guess", place: here };
  if (key === " " && pane.hasTargets) return { act: "uncover", place: here };
  const t = letter === "r" ? responseStart(here, batch) : letter === "e" ? rowEnd(here, batch) : null;
  if (t !== null) return { act: "show", place: { ...here, t } };
  return MOVES[key] ? { act: "show", place: neighbor(here, MOVES[key], pane.kinds(batch), batch) } : null;
}

// an input stands in the column of what it predicts
const shifted = kind => (kind === "input" ? 0 : columnsOn(kind));

function responseStart(here, batch) {
  return batch.view.roles[here.row].indexOf(String(batch.numbers.response)) + shifted(here.kind);
}

function rowEnd(here, batch) {
  return batch.lengths[here.row] - 1 + shifted(here.kind);
}

function neighbor(here, [lines, columns], kinds, batch) {
  const stops = batch.rows.flatMap((_, row) => kinds.map(kind => ({ row, kind })));
  const now = stops.findIndex(({ row, kind }) => row === here.row && kind === here.kind);
  return { ...stops[Math.min(stops.length - 1, Math.max(0, now + lines))], t: here.t + columns };
}

/** The choice after the one that is checked; after the last comes the first. */
export const next = choices => choices[(choices.findIndex(one => one.checked) + 1) % choices.length];
