import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "../../assets/web/poll.js";
import { smooth } from "../../assets/web/replay/replay.js";
import { logTicks, traces } from "../../assets/web/run/chart.js";
import {
  answerHistory,
  append,
  evaluationsToCome,
  fresh,
  nearest,
  remark,
  risen,
  sampledSteps,
  secondsLeft,
  speed,
  whyRisen,
} from "../../assets/web/run/record.js";
import { badge, stateOf } from "../../assets/web/run/status.js";
import { wordDifference } from "../../assets/web/run/words.js";

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

test("what is left is taken from the steps so far, and nobody knows it after one", () => {
  const record = grown({ steps: [step(1, { total_steps: 11 }), step(6, { total_steps: 11 })] });
  assert.equal(secondsLeft(record), 5);
  assert.equal(secondsLeft(grown({ steps: [step(1)] })), null);
});

test("while it loads there is the process's last word, after that only why it ended", () => {
  assert.equal(remark(fresh("x"), { state: "starting", said: "rows" }), "Loading the model. rows");
  const record = grown({ steps: [step(1)] });
  assert.equal(remark(record, { state: "running", said: "rows" }), "");
  assert.equal(remark({ ...record, end: "Stopped." }, { state: "stopped", said: "" }), "Stopped.");
});

test("a run whose loss rose, or is no number, is amber and says why, never green", () => {
  const evaluations = (...losses) => ({ evaluations: losses.map((loss, i) => ({ step: i, loss, total_steps: 9 })) });
  const state = (record, name = "finished") => stateOf(record, { state: name })[0];
  assert.equal(state(grown(evaluations(2, 1))), "good");
  assert.equal(state(grown(evaluations(1, 1))), "good");
  for (const losses of [
    [1, 2],
    [1, Number.NaN],
    [1, 0.5, 1.01],
  ]) {
    assert.equal(state(grown(evaluations(...losses))), "warn");
    assert.equal(state(grown(evaluations(...losses)), "running"), "warn");
    assert.equal(state(grown(evaluations(...losses)), "failed"), "bad");
  }
  assert.ok(risen(grown({ steps: [step(1, { loss: Number.NaN })] })));
  assert.equal(risen(grown({ steps: [step(1)] })), null);
  const about = { learning_rate: 0.03, preset_rate: 0.0003 };
  const record = { ...grown({ steps: [step(1, { grad_norm: 41.27 })] }), about };
  assert.equal(whyRisen(record), "The learning rate is 100 times the preset’s. The gradient norm reached 41.");
  assert.equal(whyRisen({ steps: [], about: { learning_rate: 3e-4, preset_rate: 3e-4 } }), "");
});

test("the tab has a badge while a run goes on: how far it is, or that the loss rose", () => {
  const record = grown({ steps: [step(6, { total_steps: 9 })] });
  assert.deepEqual(badge(record, { state: "running" }), { text: "66 %", kind: "acc" });
  assert.deepEqual(badge(fresh("x"), { state: "starting" }), { text: "…", kind: "acc" });
  const rose = grown({ evaluations: [0, 1].map(n => ({ step: n, loss: 1 + n, total_steps: 9 })) });
  assert.deepEqual(badge(rose, { state: "running" }), { text: "!", kind: "warn" });
  assert.equal(badge(record, { state: "finished" }).text, "");
});

test("each answer has its history, and as many squares as evaluations are to come", () => {
  const sample = (n, text) => ({ step: n, record: 5, output: "b", model_response: text });
  const record = grown({
    samples: [sample(0, "a"), sample(20, " b ")],
    evaluations: [0, 20].map(n => ({ step: n, loss: 1, total_steps: 90 })),
  });
  assert.deepEqual(answerHistory(record, 5), [
    { step: 0, isRight: false },
    { step: 20, isRight: true },
  ]);
  assert.equal(evaluationsToCome(record), 4);
});

test("words that differ are told apart, unless it is another sentence", () => {
  assert.deepEqual(wordDifference("The banker shot the movie.", "The banker shoots the movie."), [
    ["same", "The banker"],
    ["missing", "shot"],
    ["added", "shoots"],
    ["same", "the movie."],
  ]);
  assert.deepEqual(wordDifference("a b", "a b"), [["same", "a b"]]);
  assert.equal(wordDifference("The sum is 1.", "The word in the box is unable."), null);
});

test("a logarithmic axis has round ticks, more of them where it is short", () => {
  const within = (low, high) => logTicks([low, high]).filter(tick => tick >= low && tick <= high);
  assert.deepEqual(within(0.08, 2), [0.1, 0.3, 1]);
  assert.deepEqual(within(1e-4, 10), [1e-4, 1e-3, 0.01, 0.1, 1, 10]);
  assert.ok(within(1.1, 1.7).length >= 3);
  assert.ok(within(0.95, 1.02).length >= 2);
  assert.deepEqual(logTicks([0, Number.NaN]), [0.1, 1, 10]);
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
