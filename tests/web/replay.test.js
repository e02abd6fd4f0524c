// A recording at a moment: what has happened by then, and where its losses are on the picture.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, scales, smooth } from "../../assets/web/replay/replay.js";

const recording = {
  steps: [
    [1, 2, 4],
    [2, 4, 2],
    [3, 6, 1],
  ],
  evaluations: [
    [0, 1, 4],
    [3, 7, 1],
  ],
};

test("only what had happened by then is there", () => {
  assert.deepEqual(at(recording, 0), { steps: 0, step: 0, evaluation: undefined });
  assert.deepEqual(at(recording, 4), { steps: 2, step: 2, evaluation: [0, 1, 4] });
  assert.deepEqual(at(recording, 7), { steps: 3, step: 3, evaluation: [3, 7, 1] });
});

test("losses are on a logarithmic scale: half way down is the geometric mean", () => {
  const { x, y, ticks, last } = scales(recording);
  assert.ok(Math.abs((y(4) + y(1)) / 2 - y(2)) < 1e-9);
  assert.ok(y(4) < y(1) && x(1) < x(3));
  assert.deepEqual([ticks, last], [[1, 3], 3]);
});

test("the smoothed loss of a constant one is that constant", () => {
  for (const value of smooth([3, 3, 3])) assert.ok(Math.abs(value - 3) < 1e-12);
});
