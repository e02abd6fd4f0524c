import assert from "node:assert/strict";
import { test } from "node:test";
import { action, cellAction, next } from "../../assets/web/lens/keys.js";
import { keyOf, Pane, placeOf } from "../../assets/web/lens/pane.js";
import { batch, longBatch, other } from "./small_batch.js";

function fitted(made, options = { step: 5 }) {
  const pane = new Pane(options);
  pane.fit(made);
  return pane;
}

test("a pane starts as a link says, and at the last step where it says nothing usable", () => {
  assert.equal(new Pane({ step: 2, fold: false }).step, 2);
  assert.equal(new Pane({ step: 2, fold: false }).fold, false);
  for (const step of [undefined, 0, 6, -1, 1.5, "2", null]) assert.equal(new Pane({ step }).step, 5);
});

test("a place and the key of its cell are the same thing", () => {
  assert.deepEqual(placeOf(keyOf({ row: 3, kind: "input", t: 41 })), { row: 3, kind: "input", t: 41 });
});

test("the columns shown begin after the folded prefix", () => {
  const made = longBatch({ rows: 20, shared: 10, width: 100 });
  const pane = fitted(made);
  assert.deepEqual(pane.span(made), [9, 73]);
  pane.shift(1);
  assert.deepEqual(pane.span(made), [73, 100]);
  pane.fold = false;
  pane.fit(made);
  assert.deepEqual(pane.span(made), [64, 100]);
});

test("rows are paged by eight and never beyond the last page", () => {
  const made = longBatch({ rows: 20, shared: 10, width: 30 });
  const pane = fitted(made);
  for (const above of [8, 16, 16]) {
    pane.turn(1, made);
    assert.equal(pane.above, above);
  }
  assert.deepEqual(pane.rows(made), [16, 17, 18, 19]);
});

test("a grown prefix moves the pin with its token", () => {
  const pane = fitted(longBatch({ rows: 2, shared: 10, width: 40 }));
  pane.pin = { row: 1, kind: "input", t: 20 };
  assert.equal(pane.fit(longBatch({ rows: 2, shared: 13, width: 43 })), 3);
  assert.deepEqual(pane.pin, { row: 1, kind: "input", t: 23 });
});

test("a place beyond the window is brought into it", () => {
  const made = longBatch({ rows: 20, shared: 10, width: 200 });
  const pane = fitted(made);
  assert.deepEqual(pane.reveal({ row: 1, kind: "input", t: 10 }, made).moved, false);
  const { place, moved } = pane.reveal({ row: 17, kind: "input", t: 1e6 }, made);
  assert.deepEqual([place, moved, pane.above], [{ row: 17, kind: "input", t: 199 }, true, 16]);
  const [start, end] = pane.span(made);
  assert.ok(start <= 199 && 199 < end);
});

test("a link's place is pinned where the batch has it, unfolded where it needs that", () => {
  const made = longBatch({ rows: 20, shared: 10, width: 200 });
  const pane = fitted(made);
  pane.restore([12, "target", 150], made);
  assert.deepEqual([pane.pin, pane.above, pane.fold], [{ row: 12, kind: "target", t: 150 }, 8, true]);
  pane.restore([0, "input", 2], made);
  assert.deepEqual([pane.pin.t, pane.fold, pane.from], [2, false, 0]);
  const before = pane.pin;
  for (const wrong of [
    [0, "ids", 2],
    [0, "input", 200],
    [-1, "input", 2],
    [0, "input", -1],
    [0, "input", "2"],
  ]) {
    pane.restore(wrong, made);
    assert.equal(pane.pin, before);
  }
});

test("what is pinned is shown, or the first target that counts takes its place", () => {
  const made = longBatch({ rows: 20, shared: 10, width: 200 });
  const pane = fitted(made);
  assert.equal(pane.pinShown(made), true);
  assert.deepEqual(pane.pin, { row: 0, kind: "input", t: 9 });
  assert.equal(pane.pinShown(made), false);
  pane.turn(1, made);
  pane.pinShown(made);
  assert.equal(pane.pin.row, 8);
});

test("digits, pages and the question mark act anywhere in the grid", () => {
  assert.deepEqual(action("3"), { act: "go", by: 3 });
  assert.deepEqual(action("PageUp"), { act: "turn", by: -1 });
  assert.deepEqual(action("?"), { act: "help" });
  for (const key of ["0", "6", "a", " ", "Enter", "-1"]) assert.equal(action(key), null);
});

test("arrows walk the lines of all rows and stop at the first and the last", () => {
  const made = batch({ other });
  const go = (key, row, kind, t) => cellAction(key, { row, kind, t }, made, fitted(made)).place;
  assert.deepEqual(go("ArrowDown", 0, "input", 2), { row: 0, kind: "target", t: 2 });
  assert.deepEqual(go("ArrowDown", 0, "other", 2), { row: 1, kind: "input", t: 2 });
  assert.deepEqual(go("ArrowUp", 0, "input", 2), { row: 0, kind: "input", t: 2 });
  assert.deepEqual(go("ArrowDown", 1, "other", 2), { row: 1, kind: "other", t: 2 });
  assert.equal(go("ArrowLeft", 0, "input", 2).t, 1);
});

test("R leads to the response and E to the end, in whole rows one position further", () => {
  const go = (key, kind, step) => cellAction(key, { row: 1, kind, t: 0 }, batch(), new Pane({ step })).place.t;
  assert.deepEqual([go("r", "target", 5), go("R", "ids", 2)], [1, 2]);
  assert.deepEqual([go("e", "target", 5), go("E", "ids", 2)], [2, 3]);
});

test("M takes the masks in turn, each of them, and begins again", () => {
  const masks = ["all", "response-and-header", "response"].map(name => ({ name, checked: false }));
  const seen = [];
  masks[0].checked = true;
  for (let i = 0; i < 4; i++) {
    const found = next(masks);
    for (const one of masks) one.checked = one === found;
    seen.push(found.name);
  }
  assert.deepEqual(seen, ["response-and-header", "response", "all", "response-and-header"]);
  assert.equal(cellAction("m", { row: 0, kind: "input", t: 0 }, batch(), new Pane()).act, "mask");
});

test("the token that was the pinned target still is when targets become labels, and back", () => {
  const made = batch();
  const pane = fitted(made);
  pane.pin = { row: 0, kind: "input", t: 1 };
  pane.showLabels(true, made);
  assert.deepEqual([pane.pin, pane.kinds(made)], [{ row: 0, kind: "ids", t: 2 }, ["ids", "labels"]]);
  pane.showLabels(false, made);
  assert.deepEqual(pane.pin, { row: 0, kind: "input", t: 1 });
  assert.equal(new Pane({ labels: true }).asLabels, true);
  assert.equal(new Pane({ labels: "yes" }).asLabels, false);
});

test("Space uncovers only where there are targets", () => {
  const made = batch();
  const here = { row: 0, kind: "target", t: 2 };
  assert.deepEqual(cellAction(" ", here, made, new Pane({ step: 4 })), { act: "uncover", place: here });
  assert.equal(cellAction(" ", here, made, new Pane({ step: 2 })), null);
  assert.deepEqual(cellAction("Enter", here, made, new Pane({ step: 5 })), { act: "guess", place: here });
  assert.equal(cellAction("Enter", here, made, new Pane({ step: 2 })), null);
});
