import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "../../assets/web/answers/answer_options.js";
import { endText, firstChoice } from "../../assets/web/answers/detail.js";
import {
  branch,
  ending,
  exchange,
  inTurn,
  isOpen,
  isWaiting,
  keep,
  question,
  restored,
  stop,
  write,
} from "../../assets/web/answers/exchange.js";
import { agreementText, nextOpen } from "../../assets/web/answers/rating.js";
import { lossColor, meanText, probabilityColor, shareText } from "../../assets/web/answers/scale.js";

const EOS = [50256, "EOS", 0.9];
const asked = () => exchange({ run: "a", instruction: "q", input: "", options: { temperature: 0 } });
const token = (loss, after, id = 5) => ({ id, before: { loss }, after: { loss: after } });

test("a loss and the probability of the same token have one color", () => {
  assert.deepEqual([0, 0.09, 0.1, 1, 3, 6, 20].map(lossColor), [0, 0, 1, 2, 3, 4, 4]);
  for (const share of [1, 0.95, 0.5, 0.1, 0.03, 0.001]) {
    assert.equal(probabilityColor(share), lossColor(-Math.log(share)));
  }
  assert.equal(probabilityColor(0), 4);
  assert.equal(shareText(0.0001), "<0.1 %");
  assert.equal(meanText([1, 2]), "1.50");
  assert.equal(meanText([]), "");
});

test("an answer is written in as many replies as it takes, each told what is there already", async () => {
  const one = asked();
  const seen = [];
  const replies = [
    { tokens: [[1, "a", 0.5]], finish: null },
    { tokens: [[2, "b", 0.5], EOS], finish: "eos" },
  ];
  const more = async query => {
    seen.push(query.written);
    return replies.shift();
  };
  await write(one, "after", more, () => {});
  assert.deepEqual(seen, [[], [1]]);
  assert.deepEqual(
    one.sides.after.tokens.map(([id]) => id),
    [1, 2, 50256],
  );
  assert.deepEqual(ending(one.sides.after), ["good", "✓ stopped by itself"]);
  assert.equal(isWaiting(one), true); // the other side
});

test("the server hears how long an answer was written at, and cuts it; what came is kept", async () => {
  const one = asked();
  const seen = [];
  const replies = [
    { tokens: [[1, "a", 0.5]], finish: null, spent_s: 0.25 },
    { tokens: [[2, "b", 0.5]], finish: "time", spent_s: 30, why: "Cut after 30 seconds" },
  ];
  const more = async query => {
    seen.push(query.spent_s);
    return replies.shift();
  };
  await write(one, "after", more, () => {});
  assert.deepEqual(seen, [0, 0.25]);
  assert.deepEqual([one.sides.after.tokens.length, isOpen(one.sides.after)], [2, false]);
  assert.deepEqual(ending(one.sides.after), ["warn", "! Cut after 30 seconds"]);
  branch(one.sides.after, 1, [7, "c", 0.1]); // another answer
  assert.equal(question(one, "after").spent_s, 0);
});

test("a reply to what was stopped or changed meanwhile is left out", async () => {
  const one = asked();
  const answer = one.sides.before;
  const more = async () => {
    stop(answer);
    return { tokens: [[1, "a", 0.5]], finish: null };
  };
  await write(one, "before", more, () => {});
  assert.deepEqual([answer.tokens, answer.finish], [[], "stopped"]);
});

test("going on from another token drops what was behind it, and EOS ends there", () => {
  const one = asked();
  const answer = one.sides.after;
  Object.assign(answer, { tokens: [[1, "a", 0.5], [2, "b", 0.5], EOS], finish: "eos" });
  branch(answer, 1, [7, "c", 0.1]);
  assert.deepEqual([answer.tokens.map(([id]) => id), answer.finish], [[1, 7], null]);
  assert.deepEqual(question(one, "after").written, [1, 7]);
  assert.deepEqual(question(one, "after", 1).written, [1]);
  branch(answer, 1, EOS);
  assert.equal(answer.finish, "eos");
});

test("a server that does not answer three times is told, one that misses once is asked again", async () => {
  const one = asked();
  const replies = [null, { tokens: [EOS], finish: "eos" }];
  await write(
    one,
    "after",
    async () => replies.shift(),
    () => {},
  );
  assert.equal(one.sides.after.finish, "eos");
  await write(
    one,
    "before",
    () => Promise.reject(new Error("no")),
    () => {},
  );
  assert.equal(one.sides.before.error, "The server does not answer");
  assert.equal(isWaiting(one), false);
});

test("where others ask, the browser asks again", async () => {
  const replies = [{ waits: true }, { waits: true }, { top: [] }];
  assert.deepEqual(await inTurn(async () => replies.shift(), 0), { top: [] });
});

test("an error of the server ends the answer with what and how to fix", async () => {
  const one = asked();
  await write(
    one,
    "after",
    async () => ({ error: { what: "No room", fix: "Shorten it." } }),
    () => {},
  );
  assert.deepEqual(ending(one.sides.after), ["bad", "✗ No room. Shorten it."]);
});

test("the session's questions survive a reload, whatever is in the storage", () => {
  const kept = new Map();
  const storage = { getItem: key => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  keep(storage, "k", [asked(), asked()]);
  assert.equal(restored(storage, "k").length, 2);
  for (const rubbish of ["", "{", "5", '[{"sides": 5}]', "[null]"]) {
    kept.set("k", rubbish);
    assert.deepEqual(restored(storage, "k"), []);
  }
});

test("the first token to look at is where the answer parts, else the one that training helped most", () => {
  const tokens = [token(1, 1), token(5, 0.1), token(2, 0.1, 50256)];
  assert.equal(firstChoice({ tokens, leaves_at: 2 }), 2);
  assert.equal(firstChoice({ tokens, leaves_at: null }), 1);
  assert.equal(endText({ tokens }), "P(EOS) at the true end: 13.5 % → 90.5 %");
  assert.equal(endText({ tokens: tokens.slice(0, 2) }), "");
});

test("rating goes on with the next answer without a grade, from the beginning where none is left behind", () => {
  const items = [{ value: null }, { value: 5 }, { value: null }];
  assert.equal(nextOpen(items), 0);
  assert.equal(nextOpen(items, 1), 2);
  assert.equal(nextOpen(items, 3), 0);
  assert.equal(nextOpen([{ value: 0 }]), -1);
  const told = { judge: "Judge x", n: 6, correlation: 0.5, interval: [0.1, 0.9], reason: "" };
  assert.match(agreementText(told), /0\.50, 95 % interval 0\.10 to 0\.90, 6 answers/);
  assert.match(agreementText({ ...told, correlation: null, reason: "why" }), /no agreement yet, why/);
});

test("the menu sends what was filled in, numbers as numbers", () => {
  const fields = [
    { name: "a", kind: "number" },
    { name: "b", kind: "text" },
    { name: "c", kind: "choice" },
  ];
  const texts = { a: " 5 ", b: "x", c: "" };
  assert.deepEqual(
    read(fields, name => texts[name]),
    { a: 5, b: "x" },
  );
});
