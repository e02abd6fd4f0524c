// Two rows as the server sends them: one of 4 pairs, one of 3 with a column of padding.
//
//   row 7   T I H R E      row 9   T I R E
import { Batch } from "../../assets/web/lens/batch.js";

export const ROLES = ["template", "instruction", "input", "header", "response", "eos", "pad"].map(label => ({
  label,
  title: { eos: "end of text", pad: "padding" }[label] || label,
  letter: label[0].toUpperCase(),
}));

export const view = {
  rows: [7, 9],
  lengths: [4, 3],
  width: 4,
  inputs: [
    [10, 11, 12, 13],
    [10, 14, 15, 50256],
  ],
  next: [
    [11, 12, 13, 50256],
    [14, 15, 50256, 50256],
  ],
  input_roles: ["0134", "0146"],
  roles: ["1345", "1456"],
  trained: ["0011", "0110"],
  mask: "response",
  other: null,
  groups: [[], [[1, 2, "é"]]],
  pieces: { 10: "Q:", 11: "What", 12: "A:", 13: "this", 14: "\\xc3", 15: "\\xa9", 50256: "EOS" },
  unknown: [13],
  padding: 1,
  padding_share: 0.125,
  trained_tokens: 4,
  trained_share: 4 / 7,
  role_shares: [0, 0, 0, 0, 0.5, 0.5, 0],
};

export const other = { mask: "all", trained: ["1111", "1110"], trained_tokens: 7, role_shares: [] };

export const batch = (more = {}) => new Batch({ ...view, ...more }, ROLES);

/** Rows of the same template text, then one column of their own. */
export function longBatch({ rows, shared, width }) {
  const lines = act => Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (_, t) => act(row, t)));
  const isShared = t => t < shared;
  return batch({
    rows: Array.from({ length: rows }, (_, i) => i),
    lengths: Array(rows).fill(width),
    width,
    groups: Array.from({ length: rows }, () => []),
    inputs: lines((row, t) => (isShared(t) ? t : 1000 + row)),
    next: lines((row, t) => (isShared(t + 1) ? t + 1 : 1000 + row)),
    input_roles: lines((_, t) => (isShared(t) ? 0 : 4)).map(line => line.join("")),
    roles: lines((_, t) => (isShared(t + 1) ? 0 : 4)).map(line => line.join("")),
    trained: lines((_, t) => (isShared(t + 1) ? 0 : 1)).map(line => line.join("")),
  });
}
