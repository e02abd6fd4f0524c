// What the keys of the grid do; they act only while it has the focus. No DOM.
import { STEPS } from "./batch.js";

/** [keys, what they do], for the list of keys. */
export const KEYS = [
  ["← → ↑ ↓", "one cell"],
  ["Home End", "first, last position of the row"],
  ["1 – 5", "the step"],
  ["M", "the next mask"],
  ["F", "fold the shared prefix"],
  ["R", "the response"],
  ["E", "the end of the row"],
  ["Page up, Page down", "other rows"],
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

/** What a key does anywhere in the grid: {act, by}; null for others. */
export function action(key) {
  if (key === "?") return { act: "help" };
  if (key === "PageDown" || key === "PageUp") return { act: "turn", by: key === "PageDown" ? 1 : -1 };
  const step = Number(key);
  return Number.isInteger(step) && STEPS[step - 1] ? { act: "go", by: step } : null;
}

/** What a key does on a cell: {act} or {act: "show", place}, a place whose t may be beyond the row; null for others. */
export function cellAction(key, here, batch, step) {
  const letter = key.toLowerCase();
  if (letter === "m") return { act: "mask" };
  if (letter === "f") return { act: "fold" };
  const t = letter === "r" ? responseStart(here, batch) : letter === "e" ? rowEnd(here, batch) : null;
  if (t !== null) return { act: "show", place: { ...here, t } };
  return MOVES[key] ? { act: "show", place: neighbor(here, MOVES[key], batch, step) } : null;
}

// a position in a whole row is one further than the same token as a target
const shifted = ({ kind }) => (kind === "ids" ? 1 : 0);

function responseStart(here, batch) {
  return batch.view.roles[here.row].indexOf(String(batch.numbers.response)) + shifted(here);
}

function rowEnd(here, batch) {
  return batch.lengths[here.row] - 1 + shifted(here);
}

function neighbor(here, [lines, columns], batch, step) {
  const stops = batch.rows.flatMap((_, row) => batch.kinds(step).map(kind => ({ row, kind })));
  const now = stops.findIndex(({ row, kind }) => row === here.row && kind === here.kind);
  return { ...stops[Math.min(stops.length - 1, Math.max(0, now + lines))], t: here.t + columns };
}

/** The choice after the one that is checked; after the last comes the first. */
export const next = choices => choices[(choices.findIndex(one => one.checked) + 1) % choices.length];
