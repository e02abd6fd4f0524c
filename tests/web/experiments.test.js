// Tab 5: what a card says, where curves and intervals are, and the table to copy.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FILTERS, stateText } from "../../assets/web/experiments/cards.js";
import { lossScale, reach } from "../../assets/web/experiments/charts.js";
import { asText, scoreCells } from "../../assets/web/experiments/comparison.js";

const score = {
  score: "ended",
  first: 1,
  other: 0.025,
  difference: -0.975,
  interval: [-0.99, -0.96],
  verdict: "decided",
};

test("a card says how far it is", () => {
  assert.equal(stateText({ state: "waiting", place: 2 }), "waiting, place 3");
  assert.equal(stateText({ state: "waiting", place: 0 }), "starts next");
  const running = { state: "running", progress: 0.412, run_number: 2, sides: ["a", "b"] };
  assert.equal(stateText(running), "▶ run 2 of 2, 41 %");
  assert.equal(stateText({ ...running, is_answering: true }), "▶ run 2 of 2, answering");
  assert.equal(stateText({ state: "undecided" }), "? undecided");
  assert.equal(stateText({ state: "decided", seeds: 1 }), "✓ decided for this seed");
  assert.equal(stateText({ state: "decided", seeds: 2 }), "✓ decided");
});

test("cards are chosen by whether they ran here", () => {
  assert.ok(FILTERS["run here"]({ runs: ["a", "b"] }));
  assert.ok(FILTERS["not run here"]({ runs: [] }));
});

test("numbers are in points with their interval, minus as a sign", () => {
  assert.deepEqual(scoreCells(score), ["100.0 %", "2.5 %", "−97.5 [−99.0, −96.0]"]);
  const made = { runs: ["a", "b"], scores: [[score]], titles: { ended: "Stopped" } };
  assert.equal(asText(made).split("\n")[1], "b\tStopped\t100.0 %\t2.5 %\t−97.5 [−99.0, −96.0]\tdecided");
});

test("a picture reaches as far as the farthest end, and at least a point", () => {
  assert.equal(reach([score]), 99);
  assert.equal(reach([{ interval: [0, 0] }]), 1);
});

test("all curves are on one scale, and a loss of zero is on it", () => {
  const { x, y, last } = lossScale([{ points: [[0, 2]] }, { points: [[10, 0.5]] }, { points: [[5, 0]] }]);
  assert.equal(last, 10);
  assert.ok(x(0) < x(10) && y(2) < y(0.5) && y(0.5) < y(0));
});
