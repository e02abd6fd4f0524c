// How wide the grid's columns are. No DOM.

const NARROWEST = 3; // characters
const WIDEST = 11;
const MASKED = 4; // of “−100”, and of a loss
const DIGIT = 0.86; // an id's digit is smaller than a letter of its piece
const CHARACTER_PX = 7.9;
const PADDING_PX = 8;
const LABEL_PX = 7.2;
const LABEL_PADDING_PX = 22;
const LABEL_WORDS = 5; // characters of “row ” and a space

/** The folded column, before it is scaled. */
export const FOLDED_PX = 84;

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
  return Math.max(String(id).length * DIGIT, [...piece].length, masked || hasLosses ? MASKED : 0);
}

/** The column of the rows' names. */
export function labelPx(batch, step, rows, scale) {
  const names = Math.max(...rows.map(row => String(batch.rows[row]).length));
  const lines = Math.max(...batch.kinds(step).map(kind => batch.label(kind, step).length));
  return Math.round((names + lines + LABEL_WORDS) * LABEL_PX * scale + LABEL_PADDING_PX);
}
