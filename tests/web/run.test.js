import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "../../assets/web/poll.js";
import { traces } from "../../assets/web/run/chart.js";
import { append, fresh, nearest, sampledSteps, sentences, smooth, speed } from "../../assets/web/run/record.js";

const step = (n, more = {}) => ({
  step: n,
  loss: 4 / n,
  tokens: 100,
  step_time_s: 0.5,
  time_s: n,
  epoch: n / 10,
  ...more,
});
const reply = more => ({ over: false, resumed: null, steps: [], warnings: [], evaluations: [], samples: [], ...more });

function grown(...replies) {
  const record = fresh("a-run");
  for (const one of replies) append(record, reply(one));
  return record;
}

test("a run grows by what is new; an evaluation that comes again takes the place of the first", () => {
  const record = grown(
    { steps: [step(1)], evaluations: [{ step: 1, loss: 3 }], samples: [{ step: 1, record: 5, text: "a" }] },
    { steps: [step(2)], evaluations: [{ step: 1, loss: 2 }], samples: [{ step: 1, record: 5, text: "b" }] },
  );
  assert.deepEqual(
    record.steps.map(one => one.step),
    [1, 2],
  );
  assert.deepEqual(record.evaluations, [{ step: 1, loss: 2 }]);
  assert.deepEqual(
    record.samples[1].map(one => one.text),
    ["b"],
  );
});

test("what a resumed run does again is there once", () => {
  const first = { steps: [1, 2, 3].map(n => step(n)), samples: [{ step: 3, record: 1 }], end: "Stopped.", over: true };
  const record = grown(first, { resumed: 2, steps: [step(3)], evaluations: [{ step: 3, loss: 1 }] });
  assert.deepEqual(
    record.steps.map(one => one.step),
    [1, 2, 3],
  );
  assert.deepEqual(sampledSteps(record), []);
  assert.equal(record.end, "");
});

test("the step with answers that is nearest to a click is chosen", () => {
  const record = grown({ samples: [5, 20, 100].map(n => ({ step: n, record: 1 })) });
  assert.deepEqual(sampledSteps(record), [5, 20, 100]);
  assert.deepEqual(
    [0, 13, 59, 61].map(at => nearest(record, at)),
    [5, 20, 20, 100],
  );
  assert.equal(nearest(fresh("x"), 3), null);
});

test("smoothing begins at the first value and follows", () => {
  assert.equal(smooth([4])[0].toFixed(6), "4.000000");
  assert.ok(smooth([4, 2])[1] < 4 && smooth([4, 2])[1] > 2);
});

test("speed is that of the last steps", () => {
  const slow = Array.from({ length: 30 }, (_, i) => step(i + 1, { step_time_s: 10 }));
  const fast = Array.from({ length: 20 }, (_, i) => step(i + 31));
  assert.equal(speed(grown({ steps: [...slow, ...fast] })), 200);
});

test("the status says what is left while it runs, and how long it was after", () => {
  const record = grown({ steps: [step(1, { total_steps: 11 }), step(6, { total_steps: 11 })], machine: "On cpu." });
  assert.deepEqual(sentences(record, { state: "running", said: "" }), [
    "About 5 seconds left.",
    "6 seconds so far.",
    "Epoch 0.60.",
    "On cpu.",
  ]);
  assert.deepEqual(sentences(record, { state: "finished", said: "" }), ["6 seconds of training.", "On cpu."]);
  assert.deepEqual(sentences(fresh("x"), { state: "starting", said: "rows" }), ["Loading the model.", "rows"]);
});

test("a page that draws slowly asks rarely, and one whose run is over only who is busy", () => {
  assert.deepEqual([pause(false, 1), pause(false, 10), pause(false, 500), pause(true, 1)], [500, 1000, 4000, 2000]);
});

test("the curve has each step, their smoothed mean and, third, the evaluations", () => {
  const record = grown({ steps: [step(1), step(2)], evaluations: [{ step: 2, loss: 1.5 }] });
  const [each, mean, validation] = traces(record);
  assert.deepEqual(
    [each.x, each.y],
    [
      [1, 2],
      [4, 2],
    ],
  );
  assert.deepEqual(mean.y, smooth([4, 2]));
  assert.deepEqual([validation.x, validation.y, validation.name], [[2], [1.5], "validation"]);
});
