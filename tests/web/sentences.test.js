import assert from "node:assert/strict";
import { test } from "node:test";
import { shownLoss } from "../../assets/web/lens/losses.js";
import { explanation, spoken, tileTexts } from "../../assets/web/lens/sentences.js";
import { count, duration, percent, rate } from "../../assets/web/numbers.js";
import { decode, encode, isRestored } from "../../assets/web/permalink.js";
import { pieces } from "../../assets/web/placeholders.js";
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
    explanation(made, { row: 0, kind: "input", t: 1 }, 5, { text: "1.25" }),
    "Row 7, t = 1. After 2 tokens ending in “What” the model must predict “A:” (id 12, header). The target is −100: " +
      "this position adds nothing to the loss. Under the mask “all” it counts. Loss here: 1.25 nats.",
  );
  assert.match(explanation(made, { row: 0, kind: "input", t: 0 }, 4, null), /After 1 token ending in “Q:” .*\)\. $/);
  assert.match(explanation(made, { row: 1, kind: "input", t: 3 }, 5, null), /Padding: the row ended before\./);
});

test("before the shift a position is one token, padding, or beyond the row", () => {
  const say = (step, t) => explanation(batch(), { row: 1, kind: "ids", t }, step, null);
  assert.equal(say(2, 0), "Row 9, t = 0. The token “Q:” has the id 10 (template).");
  assert.equal(say(2, 4), "Row 9 has ended: it has 4 tokens.");
  assert.match(say(3, 4), /Padding up to the longest row/);
  assert.match(explanation(batch(), null, 5, null), /No row trains anything/);
});

test("the tiles name shape, padding and what is trained, under a second mask, too", () => {
  const texts = tileTexts(batch({ other }));
  assert.deepEqual(texts[0], ["2 × 4", "tensor shape (B × T)"]);
  assert.deepEqual(texts[1], ["12.5 %", "padding: 1 of 8 cells"]);
  assert.deepEqual(texts[3], ["100.0 %", "under the second mask, all: 7"]);
  assert.equal(texts.at(-1)[0], "100.0 %");
  assert.equal(tileTexts(batch()).length, texts.length - 1);
});

test("a loss has a sign where it is a difference, and no color beyond the strongest", () => {
  const at = side => ({ before: 2.5, after: 0.5 })[side];
  assert.deepEqual(shownLoss("before", at), { text: "2.50", share: 2.5 / 6, kind: "hot" });
  assert.deepEqual(shownLoss("difference", at), { text: "−2.00", share: 2 / 6, kind: "cool" });
  assert.equal(shownLoss("before", () => 40).share, 1);
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

test("the tiles tell trained padding from trained tokens", () => {
  const tiles = (shares, tokens) => tileTexts(batch({ role_shares: shares, trained_tokens: tokens }));
  assert.deepEqual(tiles([0, 0, 0, 0, 0.5, 0.5, 0], 4)[2], ["57.1 %", "of the real tokens are trained: 4"]);
  assert.deepEqual(tiles([0, 0, 0, 0, 0.4, 0.4, 0.2], 5)[2], [
    "57.1 %",
    "of the real tokens are trained: 4, and 1 of padding",
  ]);
});
