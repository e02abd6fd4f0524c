import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf } from "../../assets/web/lens/batch.js";
import { columnPx } from "../../assets/web/lens/columns.js";
import { isRight, tally } from "../../assets/web/lens/cover.js";
import { batch, longBatch, other } from "./small_batch.js";

const ids = (made, step, kind, row) =>
  Array.from({ length: made.width(step) }, (_, t) => made.cell(step, kind, row, t)?.id ?? null);

test("a target is the input one column to the right", () => {
  const made = batch();
  assert.deepEqual(ids(made, 4, "input", 0), [10, 11, 12, 13]);
  assert.deepEqual(ids(made, 4, "target", 0), [11, 12, 13, 50256]);
});

test("a whole row has its last token, which is only a target; after its end there is nothing, or padding", () => {
  const made = batch();
  assert.deepEqual(ids(made, 2, "ids", 0), [10, 11, 12, 13, 50256]);
  assert.deepEqual(ids(made, 2, "ids", 1), [10, 14, 15, 50256, null]);
  assert.deepEqual(ids(made, 3, "ids", 1), [10, 14, 15, 50256, 50256]);
  assert.equal(made.cell(3, "ids", 1, 4).piece, "pad");
  assert.equal(made.cell(3, "ids", 1, 3).piece, "EOS");
});

test("only the last step masks, each line by its own mask", () => {
  const made = batch({ other });
  const masked = (step, kind) => [0, 1, 2, 3].map(t => made.cell(step, kind, 1, t).masked);
  assert.deepEqual(masked(4, "target"), [false, false, false, false]);
  assert.deepEqual(masked(5, "target"), [true, false, false, true]);
  assert.deepEqual(masked(5, "other"), [false, false, false, true]);
  assert.deepEqual(masked(5, "input"), [false, false, false, false]);
});

test("a second mask is a third line, at the last step", () => {
  assert.deepEqual(batch().kinds(5), ["input", "target"]);
  assert.deepEqual(batch({ other }).kinds(5), ["input", "target", "other"]);
  assert.deepEqual(batch({ other }).kinds(4), ["input", "target"]);
  assert.deepEqual(
    ["input", "target", "other"].map(kind => batch({ other }).label(kind)),
    ["input", "target", "2nd mask"],
  );
});

test("Hugging Face labels stand under their own ids, as the collators of transformers make them", () => {
  const made = batch({ other });
  const line = (step, kind, row) =>
    [0, 1, 2, 3, 4].map(t => made.cell(step, kind, row, t)).map(c => (c.masked ? -100 : c.id));
  assert.deepEqual(made.kinds(5, true), ["ids", "labels", "other labels"]);
  assert.equal(made.width(5, true), 5);
  assert.deepEqual(line(5, "ids", 1), [10, 14, 15, 50256, 50256]);
  assert.deepEqual(line(5, "labels", 1), [-100, -100, 15, 50256, -100]);
  assert.deepEqual(line(5, "other labels", 1), [-100, 14, 15, 50256, -100]);
  assert.deepEqual(line(4, "labels", 1), [10, 14, 15, 50256, 50256]);
  const shifted = [0, 1, 2, 3].map(t => made.cell(5, "target", 1, t)).map(c => (c.masked ? -100 : c.id));
  assert.deepEqual(line(5, "labels", 1).slice(1), shifted);
});

test("the first padding is the shortest row's, and there is none where all are as long", () => {
  assert.deepEqual(batch().firstPadding([0, 1]), { row: 1, t: 4 });
  assert.equal(batch().firstPadding([0]), null);
  assert.equal(batch().firstPadding([]), null);
});

test("tokens that are one character name their part of it, wherever the shift has put them", () => {
  const made = batch();
  assert.deepEqual(
    [...groupsOf([[3, 3, "é"]]).values()].map(({ part }) => part),
    ["first", "middle", "last"],
  );
  assert.equal(made.cell(4, "input", 1, 1).piece, "é 1/2");
  assert.equal(made.cell(4, "target", 1, 0).piece, "é 1/2");
  assert.equal(made.cell(4, "input", 0, 1).piece, "What");
});

test("the shared prefix is template text only, and only where it is worth folding", () => {
  assert.equal(longBatch({ rows: 3, shared: 10, width: 20 }).sharedPrefix, 9);
  assert.equal(longBatch({ rows: 3, shared: 4, width: 20 }).sharedPrefix, 0);
  assert.equal(batch({ rows: [], lengths: [], groups: [] }).sharedPrefix, 0);
});

test("the first target that counts is found in the rows and columns asked for", () => {
  assert.deepEqual(batch().firstTrained([0, 1], 0, 4), { row: 0, t: 2 });
  assert.deepEqual(batch().firstTrained([1], 0, 99), { row: 1, t: 1 });
  assert.equal(batch().firstTrained([0, 1], 0, 1), null);
});

test("a folded prefix is ignored where none of its targets counts", () => {
  assert.equal(batch().isIgnored(0, "target", 2), true);
  assert.equal(batch().isIgnored(0, "target", 3), false);
  assert.equal(batch({ other }).isIgnored(0, "other", 2), false);
});

test("the overview joins targets of one role and one mask", () => {
  const made = batch({ roles: ["1144", "1456"], trained: ["0011", "0110"] });
  assert.deepEqual(made.stretches(0), [
    { size: 2, role: 1, isTrained: false },
    { size: 2, role: 4, isTrained: true },
  ]);
  assert.equal(made.stretches(1).length, 4);
});

test("a column is as wide as its widest text, between two limits", () => {
  const about = { kinds: ["input", "target"], hasLosses: false, scale: 1 };
  const px = (made, step) => columnPx(made, step, [0, 1], 0, { ...about });
  assert.equal(px(batch(), 4), Math.round(5 * 7.9 + 10)); // “é 1/2”
  const long = batch({ pieces: { 10: "an overlong piece", 11: "b" } });
  assert.equal(px(long, 4), Math.round(11 * 7.9 + 10));
});

test("a target may be called by its token, by the word it begins, or by what it stands for", () => {
  const made = batch({ pieces: { 10: "Q:", 11: "·bio", 12: "logy", 13: "·is", 14: "↵", 15: "!", 50256: "EOS" } });
  assert.deepEqual(made.namesOf(0, 0), ["·bio", "·biology"]);
  assert.deepEqual(made.namesOf(0, 2), ["·is", "·is"]);
  assert.ok(made.namesOf(0, 3).includes("<|endoftext|>"));
  assert.ok(isRight(" Biology", made.namesOf(0, 0)) && isRight("bio", made.namesOf(0, 0)));
  assert.ok(!isRight("b", made.namesOf(0, 0)) && !isRight(" ", made.namesOf(0, 0)));
});

test("guesses are counted apart from what was shown without one", () => {
  assert.equal(tally({ right: 0, guessed: 0, shown: 0 }), "Covered");
  assert.equal(tally({ right: 2, guessed: 3, shown: 1 }), "Covered · 2 of 3 right · 1 shown");
});
