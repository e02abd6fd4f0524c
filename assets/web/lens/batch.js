// One batch as the server sends it, and what is in its cells. No DOM.
//
//   ids      t0 t1 t2 … tn        a row of n + 1 tokens
//   input    t0 t1 … tn-1         what the model reads: the row without its last token
//   target   t1 t2 … tn           what it must predict: the row moved one column left, −100 where masked
//   other    the same as target, under a second mask
//
// Hugging Face's labels are not moved: the model moves them itself. They stand under the whole row:
//
//   ids      t0 t1 t2 … tn
//   labels   −100 t1 t2 … tn      what no position predicts is −100

export const STEPS = ["Format", "Tokenize", "Pad", "Shift", "Mask −100"];
export const FORMAT = 1;
export const PAD_STEP = 3;
export const SHIFT_STEP = 4;
export const MASK_STEP = 5;
const LABELS = ["ids", "labels"];
const LINES = [[], ["ids"], ["ids"], ["input", "target"], ["input", "target"]];
const EOS_ID = 50256; // of GPT-2's vocabulary; it is the id of padding, too
const LEAST_SHARED = 4; // columns worth folding

/** The lines that a row has at a step, whatever the masks; `asLabels`: targets as Hugging Face has them. */
export const linesOf = (step, asLabels = false) => (asLabels && step >= SHIFT_STEP ? LABELS : LINES[step - 1]);

/** Whether a line holds what must be predicted, by a column of its own or by the one before it. */
export const isTarget = kind => kind !== "input" && kind !== "ids";

/** Columns from what predicts a line's cell to that cell. */
export const columnsOn = kind => (kind === "target" || kind === "other" ? 0 : 1);

/** From [first position, size, character] each: position → what its token is of the character that it shares. */
export function groupsOf(found) {
  const groups = new Map();
  for (const [first, size, text] of found) {
    for (let i = 0; i < size; i++) {
      const part = i === 0 ? "first" : i === size - 1 ? "last" : "middle";
      groups.set(first + i, { text: `${text} ${i + 1}/${size}`, part });
    }
  }
  return groups;
}

export class Batch {
  /**
   * view: the server's values (playground/lens/payload.py); lists of cells are strings with a digit a cell.
   * roles: {label, title, letter} each, by role number.
   */
  constructor(view, roles) {
    this.view = view;
    this.titles = roles.map(role => role.title);
    this.numbers = Object.fromEntries(roles.map((role, number) => [role.label, number]));
    this.rows = view.rows.map(row => (row < 0 ? "yours" : row)); // positions in the data set; a negative one is in none
    this.lengths = view.lengths;
    this.unknown = new Set(view.unknown);
    this.groups = view.groups.map(groupsOf);
    this.sharedPrefix = this.#sharedPrefix();
  }

  /** The lines of a row at a step. */
  kinds(step, asLabels = false) {
    const lines = linesOf(step, asLabels);
    return step === MASK_STEP && this.view.other ? [...lines, asLabels ? "other labels" : "other"] : lines;
  }

  /** Columns at a step: a whole row is one token longer than its inputs. */
  width(step, asLabels = false) {
    return linesOf(step, asLabels)[0] === "ids" ? this.view.width + 1 : this.view.width;
  }

  /** The mask that decides a line. */
  mask(kind) {
    return kind.startsWith("other") ? this.view.other : this.view;
  }

  /** Whether a target counts in the loss. */
  isTrained(row, t, kind = "target") {
    return this.mask(kind).trained[row][t] === "1";
  }

  /** Whether none of a line's first targets counts. */
  isIgnored(row, kind, columns) {
    return !this.mask(kind).trained[row].slice(0, columns).includes("1");
  }

  /** What a line is called. */
  label(kind) {
    return kind.startsWith("other") ? "2nd mask" : kind;
  }

  /** The role number of a target. */
  roleOf(row, t) {
    return Number(this.view.roles[row][t]);
  }

  /** What a cell holds at a step: {id, role, masked, piece, group}; null where the row has ended. */
  cell(step, kind, row, t) {
    if (kind === "input") return this.#input(row, t);
    if (kind === "ids") return this.#idCell(step, row, t);
    if (kind.endsWith("labels")) return this.#label(step, kind, row, t);
    return this.#target(row, t, step === MASK_STEP && !this.isTrained(row, t, kind));
  }

  /** What a target may be called: its token, and the word that begins with it. */
  namesOf(row, t) {
    const { piece } = this.#target(row, t, false);
    if (piece.startsWith("↵")) return [piece, "\\n", "enter", "new line"];
    let word = piece;
    for (let i = t + 1; i < this.lengths[row] && this.roleOf(row, i) !== this.numbers.eos; i++) {
      const more = this.#target(row, i, false).piece;
      if (!/^[\p{L}\p{N}]/u.test(more) || !/[\p{L}\p{N}]$/u.test(word)) break;
      word += more;
    }
    return this.roleOf(row, t) === this.numbers.eos ? [piece, "<|endoftext|>", "end of text"] : [piece, word];
  }

  /** The first target that counts, in these rows and columns; null where none does. */
  firstTrained(rows, start, end) {
    for (const row of rows) {
      for (let t = start; t < Math.min(end, this.view.width); t++) if (this.isTrained(row, t)) return { row, t };
    }
    return null;
  }

  /** The first padding of these rows in a line of whole rows; null where there is none. */
  firstPadding(rows) {
    const [row] = [...rows].sort((a, b) => this.lengths[a] - this.lengths[b]);
    const t = row === undefined ? Number.POSITIVE_INFINITY : this.lengths[row] + 1;
    return t <= this.view.width ? { row, t } : null;
  }

  /** A row's targets as stretches of one role and one mask: {size, role, isTrained}. */
  stretches(row) {
    const found = [];
    for (let t = 0; t < this.view.width; t++) {
      const [role, isTrained, last] = [this.roleOf(row, t), this.isTrained(row, t), found.at(-1)];
      if (last && last.role === role && last.isTrained === isTrained) last.size += 1;
      else found.push({ size: 1, role, isTrained });
    }
    return found;
  }

  #input(row, t) {
    return this.#token(this.view.inputs[row][t], Number(this.view.input_roles[row][t]), row, t);
  }

  #target(row, t, masked) {
    return this.#token(this.view.next[row][t], this.roleOf(row, t), row, t + 1, masked);
  }

  #idCell(step, row, t) {
    const n = this.lengths[row];
    if (t < n) return this.#input(row, t);
    if (t === n && n) return this.#target(row, n - 1, false); // the last id is only a target
    return step >= PAD_STEP ? this.#token(EOS_ID, this.numbers.pad, row, -1) : null;
  }

  #label(step, kind, row, t) {
    if (t === 0) return { ...this.#input(row, 0), masked: step === MASK_STEP };
    return this.#target(row, t - 1, step === MASK_STEP && !this.isTrained(row, t - 1, kind));
  }

  /** `place`: in the row before the shift. */
  #token(id, role, row, place, masked = false) {
    const group = this.groups[row].get(place);
    return { id, role, masked, group, piece: this.#piece(id, role, group) };
  }

  #piece(id, role, group) {
    if (role === this.numbers.pad) return "pad";
    if (role === this.numbers.eos) return "EOS";
    return group?.text ?? this.view.pieces[id];
  }

  /** Columns at the start that are the same template text in every row; 0 where folding them would not pay. */
  #sharedPrefix() {
    if (!this.rows.length) return 0;
    let t = 0;
    while (t + 1 < this.view.width && this.#isShared(t)) t++;
    return t < LEAST_SHARED ? 0 : t;
  }

  #isShared(t) {
    const { inputs, next, roles, input_roles: inputRoles } = this.view;
    const template = String(this.numbers.template);
    const isSame = (_, row) =>
      inputRoles[row][t] === template &&
      roles[row][t] === template &&
      inputs[row][t] === inputs[0][t] &&
      next[row][t] === next[0][t];
    return this.rows.every(isSame);
  }
}
