// Every template that was in the box, in order: nothing that was typed is lost by a preset, a file, a link or an undo.
//
//   a  b  c          undo goes back from c to b; typing d there keeps c, too:
//   a  b  c  b  d    undo leads from d over b and c to a
//
// No DOM.

const MOST = 400; // entries
const MOST_CHARACTERS = 1_000_000;
const BURST = 2000; // milliseconds without a key, after which typing begins a new entry
const LEAST_KEPT = 2;

/** What turns one text into another: 1 something was put in, −1 something was taken away, 0 anything else. */
export function editKind(before, after) {
  const [short, long] = before.length < after.length ? [before, after] : [after, before];
  if (short.length === long.length) return 0;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same++;
  return long.endsWith(short.slice(same)) ? Math.sign(after.length - before.length) : 0;
}

export class Texts {
  /** entries: {id, text, time, isLeft} each, as `entries` was when the page was last open. */
  constructor(entries = []) {
    this.entries = entries;
    this.at = entries.length - 1;
    this.lastTyped = 0;
    this.lastKind = 0;
  }

  get text() {
    return this.entries[this.at]?.text ?? null;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.entries.length - 1;
  }

  /** A text that somebody typed; keys in quick succession are one entry, as long as they only add or only take away. */
  typed(text, now) {
    const kind = editKind(this.text ?? "", text);
    const isBurst = now - this.lastTyped < BURST && kind !== 0 && kind === this.lastKind && !this.canRedo;
    if (isBurst) Object.assign(this.entries[this.at], { text, time: now });
    else if (text !== this.text) this.#append(text, now);
    Object.assign(this, { lastTyped: now, lastKind: kind });
  }

  /** A text that came otherwise: a preset, a file, a link. */
  replaced(text, now) {
    if (text === this.text) return;
    if (this.at >= 0) this.entries[this.at].isLeft = true;
    this.#append(text, now);
    this.lastKind = 0;
  }

  /** The text before, or null. */
  undo() {
    return this.#go(-1, this.canUndo);
  }

  /** The text after, or null. */
  redo() {
    return this.#go(1, this.canRedo);
  }

  /** Texts that something took the place of, newest first. */
  left(most) {
    const texts = this.entries.filter(one => one.isLeft).map(({ text }) => text);
    return [...new Set(texts.reverse())].filter(text => text !== this.text).slice(0, most);
  }

  /** With what other pages of this browser have kept: the newest of all, as many as there is room for. */
  mergedWith(others) {
    const own = new Map([...others, ...this.entries].map(one => [one.id, one]));
    const all = [...own.values()].sort((a, b) => a.time - b.time);
    const kept = [];
    let taken = 0;
    for (const one of all.slice(-MOST).reverse()) {
      taken += one.text.length;
      if (taken > MOST_CHARACTERS && kept.length >= LEAST_KEPT) break;
      kept.push(one);
    }
    return kept.reverse();
  }

  #go(by, isThere) {
    if (!isThere) return null;
    this.at += by;
    this.lastKind = 0;
    return this.text;
  }

  #append(text, now) {
    const entry = value => ({ id: `${now}-${Math.random().toString(36).slice(2, 10)}`, text: value, time: now });
    if (this.canRedo) this.entries.push(entry(this.text));
    this.entries.push(entry(text));
    this.at = this.entries.length - 1;
  }
}
