import assert from "node:assert/strict";
import { test } from "node:test";
import { lossBin, shownLoss } from "../../assets/web/lens/losses.js";
import { explanation, factTexts, guess, spoken, stepText } from "../../assets/web/lens/sentences.js";
import { count, duration, percent, rate } from "../../assets/web/numbers.js";
import { decode, encode, isRestored } from "../../assets/web/permalink.js";
import { pieces } from "../../assets/web/template/placeholders.js";
import { batch, other } from "./small_batch.js";

test("a screen reader hears row, position, token, role and what is new", () => {
  const made = batch({ other });
  const say = (kind, t, more = {}) => spoken(made, { row: 0, kind, t }, made.cell(5, kind, 0, t), more);
  assert.equal(say("target", 2, { isNew: true }), "row 7, position 2, target this, id 13, response, new to the model");
  assert.equal(say("target", 0), "row 7, position 0, target minus 100, ignored, was What, id 11, instruction");
  assert.match(say("other", 0, { loss: { text: "0.50" } }), /, target under all What, id 11, .*, loss 0\.50 nats$/);
});

test("a pair is explained by what is read, what must follow, and whether it counts", () => {
  const made = batch({ other });
  assert.equal(
    explanation(made, { row: 0, kind: "input", t: 1 }, { step: 5 }, { text: "1.25" }),
    "After 2 tokens ending in “What” the model must predict “A:” (id 12, header). The target is −100: " +
      "this position adds nothing to the loss. Under the mask “all” it counts. Loss here: 1.25 nats.",
  );
  assert.match(
    explanation(made, { row: 0, kind: "input", t: 0 }, { step: 4 }, null),
    /After 1 token ending in “Q:” .*\)\. $/,
  );
  assert.match(
    explanation(made, { row: 1, kind: "input", t: 3 }, { step: 5 }, null),
    /Padding: the row ended before\./,
  );
});

test("before the shift a position is one token, padding, or beyond the row", () => {
  const say = (step, t) => explanation(batch(), { row: 1, kind: "ids", t }, { step }, null);
  assert.equal(say(2, 0), "The token “Q:” has the id 10 (template).");
  assert.equal(say(2, 4), "Row 9 has ended: it has 4 tokens.");
  assert.match(say(3, 4), /Padding up to the longest row/);
  assert.match(explanation(batch(), null, { step: 5 }, null), /No row trains anything/);
});

test("a label is explained where it stands, by the position that predicts it", () => {
  const say = t => explanation(batch(), { row: 0, kind: "labels", t }, { step: 5, asLabels: true }, null);
  assert.match(say(0), /nothing predicts it/);
  assert.match(say(3), /The label of “this” .* one position before\. This position counts/);
  assert.match(explanation(batch(), { row: 1, kind: "labels", t: 4 }, { step: 5, asLabels: true }, null), /^Padding/);
});

test("every step has a sentence of its own, the last two others for Hugging Face labels", () => {
  const texts = [1, 2, 3, 4, 5].map(step => stepText({ step }));
  assert.equal(new Set(texts).size, 5);
  assert.ok(texts.every(text => text.length <= 88));
  assert.equal(stepText({ step: 3, asLabels: true }), texts[2]);
  assert.notEqual(stepText({ step: 5, asLabels: true }), texts[4]);
});

test("a covered target is asked for by the token before it, in both kinds of targets", () => {
  assert.match(guess(batch(), { row: 0, kind: "input", t: 1 }, 5), /after “What”\?/);
  assert.match(guess(batch(), { row: 0, kind: "labels", t: 2 }, 5), /after “What”\?/);
});

test("the numbers are shape, padding and what is trained, under a second mask, too", () => {
  const texts = factTexts(batch({ other }));
  assert.deepEqual(texts[0].slice(0, 2), ["2 × 4", "batch × tokens"]);
  assert.deepEqual(texts[1], ["12.5 %", "padding", "1 of 8 cells"]);
  assert.deepEqual(texts[3], ["100.0 %", "2nd mask", "Under the second mask, all: 7"]);
  assert.equal(factTexts(batch()).length, texts.length - 1);
});

test("a loss has one of five colors, a change always its sign", () => {
  const at = side => ({ before: 2.5, after: 0.5 })[side];
  assert.deepEqual(shownLoss("before", at), { text: "2.50", value: 2.5, kind: "loss-2" });
  assert.deepEqual(shownLoss("difference", at), { text: "−2.00", value: -2, kind: "better-2" });
  const change = value => shownLoss("difference", side => (side === "after" ? value : 0));
  const kinds = [-3, -0.5, -0.01, 0, 0.04, 0.5, 3].map(value => `${change(value).text} ${change(value).kind}`);
  assert.deepEqual(kinds, [
    "−3.00 better-2",
    "−0.50 better-1",
    "±0.01 same",
    "±0.00 same",
    "±0.04 same",
    "+0.50 worse-1",
    "+3.00 worse-2",
  ]);
  assert.deepEqual([0, 0.1, 0.99, 1, 3, 6, 40].map(lossBin), [0, 1, 1, 2, 3, 4, 4]);
  assert.equal(shownLoss("before", () => 0).text, "0.00");
  assert.equal(
    shownLoss("after", () => null),
    null,
  );
  assert.equal(
    shownLoss("difference", side => (side === "before" ? 1 : undefined)),
    null,
  );
});

test("numbers are written for people", () => {
  assert.equal(percent(0.1234), "12.3 %");
  assert.equal(count(1234567), "1,234,567");
  assert.deepEqual([-1, 89, 90, 5400].map(duration), ["0 seconds", "89 seconds", "2 minutes", "1.5 hours"]);
  assert.deepEqual([5e-5, 3e-4].map(rate), ["5.0e-5", "0.00030"]);
});

test("a link carries any text, in letters that an address may have", () => {
  const view = { template: "Größe → {{output}} ??>>", step: 3, pin: [0, "input", 4] };
  assert.match(encode(view), /^[\w-]+$/);
  assert.deepEqual(decode(encode(view)), view);
  for (const damaged of ["AAAA", "%", "", encode("text").slice(1)]) assert.deepEqual(decode(damaged), {});
});

test("a link is restored once the server draws all that is the server's", () => {
  assert.equal(isRestored({ mask: "all" }, { mask: "all", step: 2, pin: [] }), true);
  assert.equal(isRestored({}, { mask: "all" }), false);
  assert.equal(isRestored({ mask: "all" }, {}), false);
});

test("a placeholder has its role's color, a section tag that of its field, other braces none", () => {
  const roles = pieces("Q: {{instruction}}{{#input}} {{ input }}{{/input}}{{outptu}} {{output}}").filter(
    one => one.role,
  );
  assert.deepEqual(
    roles.map(({ text, role }) => `${text} ${role}`),
    ["{{instruction}} instruction", "{{#input}} input", "{{ input }} input", "{{/input}} input", "{{output}} response"],
  );
  assert.equal(
    pieces("a {{x}} b")
      .map(one => one.text)
      .join(""),
    "a {{x}} b",
  );
});

test("the numbers tell trained padding from trained tokens", () => {
  const facts = (shares, tokens) => factTexts(batch({ role_shares: shares, trained_tokens: tokens }));
  assert.deepEqual(facts([0, 0, 0, 0, 0.5, 0.5, 0], 4)[2], ["57.1 %", "trained", "4 of 7 real tokens"]);
  assert.deepEqual(facts([0, 0, 0, 0, 0.4, 0.4, 0.2], 5)[2].slice(0, 2), ["57.1 %", "trained, and 1 of padding"]);
});
