import assert from "node:assert/strict";
import { test } from "node:test";
import { groupTexts } from "../../assets/web/rail.js";
import { editKind, Texts } from "../../assets/web/template/texts.js";
import { offsetOf } from "../../assets/web/template/typing.js";

/** All texts that undo leads to, from where it stands. */
function reachable(texts) {
  const found = [texts.text];
  while (texts.canUndo) found.push(texts.undo());
  return found;
}

test("an edit adds, takes away, or does something else", () => {
  assert.deepEqual(
    [editKind("ab", "axb"), editKind("axb", "ab"), editKind("ab", "cd"), editKind("abc", "d"), editKind("", "a")],
    [1, -1, 0, 0, 1],
  );
});

test("keys in quick succession are one entry, a pause or another kind of edit begins a new one", () => {
  const texts = new Texts();
  texts.replaced("", 0);
  for (const [text, now] of [
    ["a", 100],
    ["ab", 200],
    ["abc", 9000],
    ["ab", 9100],
    ["a", 9200],
    ["x", 9300],
  ]) {
    texts.typed(text, now);
  }
  assert.deepEqual(reachable(texts), ["x", "a", "abc", "ab", ""]);
});

test("what was typed before a selection was typed over is kept", () => {
  const texts = new Texts();
  texts.replaced("start", 0);
  texts.typed("start mine", 100);
  texts.typed("d", 200);
  assert.ok(reachable(texts).includes("start mine"));
});

test("typing after an undo keeps what was undone", () => {
  const texts = new Texts();
  for (const [i, text] of ["a", "b", "c"].entries()) texts.replaced(text, i);
  texts.undo();
  texts.typed("bd", 9000);
  assert.equal(texts.canRedo, false);
  assert.deepEqual(reachable(texts), ["bd", "b", "c", "b", "a"]);
});

test("undo and redo go to the ends and no further", () => {
  const texts = new Texts();
  for (const [i, text] of ["a", "b"].entries()) texts.replaced(text, i);
  assert.deepEqual([texts.redo(), texts.undo(), texts.undo(), texts.text, texts.redo()], [null, "a", null, "a", "b"]);
});

test("what a preset or a file took the place of is listed, newest first and once", () => {
  const texts = new Texts();
  for (const [i, text] of ["mine", "preset", "mine", "other", "preset"].entries()) texts.replaced(text, i);
  assert.deepEqual(texts.left(9), ["other", "mine"]);
  assert.deepEqual(texts.left(1), ["other"]);
});

test("two pages of a browser keep what both have seen, the oldest goes where there is no more room", () => {
  const [one, other] = [new Texts(), new Texts()];
  one.replaced("a", 1);
  other.replaced("b", 2);
  assert.deepEqual(
    one.mergedWith(other.entries).map(({ text }) => text),
    ["a", "b"],
  );
  const long = new Texts();
  for (let i = 0; i < 5; i++) long.replaced("x".repeat(400_000) + i, i);
  assert.equal(long.mergedWith([]).length, 2);
  assert.deepEqual(new Texts(one.mergedWith(other.entries)).text, "b");
});

test("a line and a column are a place in the text", () => {
  const text = "Q: {{instruction}}\nA: {{outptu}}";
  assert.equal(text.slice(offsetOf(text, 2, 4)), "{{outptu}}");
  assert.equal(offsetOf(text, 1, 1), 0);
});

test("each folded group says its value", () => {
  assert.deepEqual(groupTexts({}), {
    "second-mask": "none",
    "which-rows": "8 from record 0",
    "what-if": "longest row, no cut",
    "row-order": "as in the file",
    numbers: "counts",
  });
  const changed = groupTexts({
    other: "response-and-header",
    find: "Peru",
    width: "fixed",
    max_length: 40,
    order: "training",
  });
  assert.deepEqual(Object.values(changed).slice(0, 4), [
    "response and header",
    "with “Peru”",
    "128 wide, cut at 40",
    "as training draws",
  ]);
});
