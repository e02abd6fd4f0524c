// How wide the grid's columns are. No DOM.

const NARROWEST = 3; // characters
const WIDEST = 11;
const MASKED = 4; // of “−100”
const LOSS = 5; // of “+1.23”
const DIGIT = 0.93; // an id's digit is smaller than a letter of its piece
const CHARACTER_PX = 7.9;
const PADDING_PX = 10;
const LABEL_PX = 76; // the column of the rows' names

/** The folded column, before it is scaled. */
export const FOLDED_PX = 72;

/** A column's width; `rows`: those shown. */
export function columnPx(batch, step, rows, t, { kinds, hasLosses, scale }) {
  let wide = NARROWEST;
  for (const row of rows) {
    for (const kind of kinds) {
      const cell = batch.cell(step, kind, row, t);
      if (cell) wide = Math.max(wide, characters(cell, hasLosses));
    }
  }
  return Math.round(Math.min(wide, WIDEST) * CHARACTER_PX * scale + PADDING_PX);
}

function characters({ id, piece, masked }, hasLosses) {
  return Math.max(String(id).length * DIGIT, [...piece].length, hasLosses ? LOSS : masked ? MASKED : 0);
}

/** The column of the rows' names. */
export const labelPx = scale => Math.round(LABEL_PX * (0.3 + 0.7 * scale));
