// A question, and both models' answers as far as they are written. The server remembers nothing of it. No DOM.

export const SIDES = ["before", "after"];
export const EOS_ID = 50256;
const KEPT = 20; // questions of a session
const TRIES = 3;
const PAUSE = 500; // milliseconds, where others ask just now

const rest = time => new Promise(done => setTimeout(done, time));

/** Ask the server, again and again where others are before us. */
export async function inTurn(ask, pause = PAUSE) {
  for (;;) {
    const reply = await ask();
    if (!reply?.waits) return reply;
    await rest(pause);
  }
}

/** A new question; `asked`: {run, instruction, input, options}. */
export function exchange(asked) {
  const sides = Object.fromEntries(SIDES.map(side => [side, { tokens: [], finish: null, error: "", spent: 0 }]));
  return { ...asked, sides };
}

/** Whether an answer is still to be written on. */
export const isOpen = answer => !answer.finish && !answer.error;

/** Whether one of its answers is. */
export const isWaiting = one => SIDES.some(side => isOpen(one.sides[side]));

/** What an answer's model is asked next. */
export function question({ run, instruction, input, options, sides }, side, until = Number.POSITIVE_INFINITY) {
  const written = sides[side].tokens.slice(0, until).map(([id]) => id);
  return { run, instruction, input, options, side, written, spent_s: sides[side].spent };
}

/** Go on from another token at position `at`: what was written behind it goes. */
export function branch(answer, at, token) {
  answer.tokens = [...answer.tokens.slice(0, at), token];
  Object.assign(answer, { finish: token[0] === EOS_ID ? "eos" : null, error: "", own: at, spent: 0, turn: {} });
}

/** End an answer where it is. */
export function stop(answer) {
  if (isOpen(answer)) Object.assign(answer, { finish: "stopped", turn: {} });
}

/** What happened to it, in words. */
export function ending({ finish, error, why, tokens }) {
  if (error) return ["bad", `✗ ${error}`];
  if (finish === "eos") return ["good", "✓ stopped by itself"];
  if (finish === "stop") return ["good", "✓ ended as the template does"];
  if (finish === "length") return ["warn", `! cut at ${tokens.length} tokens`];
  if (finish === "time") return ["warn", `! ${why}`];
  if (finish === "stopped") return ["", "stopped"];
  return ["acc", tokens.length ? "▶ writing" : "▶ waiting"];
}

/** Write one answer to its end; `more`: asks the server; `drawn`: called after each reply. */
export async function write(one, side, more, drawn) {
  const answer = one.sides[side];
  let failures = 0;
  while (isOpen(answer)) {
    const { turn } = answer;
    const reply = await inTurn(() => more(question(one, side))).catch(() => null);
    if (turn !== answer.turn) continue; // it was stopped, or goes on from another token
    failures = reply ? 0 : failures + 1;
    if (reply) take(answer, reply);
    else if (failures >= TRIES) answer.error = "The server does not answer";
    drawn();
  }
}

function take(answer, reply) {
  if (reply.error) answer.error = [reply.error.what, reply.error.fix].filter(Boolean).join(". ");
  else if (reply.gone) answer.error = "The run is gone";
  else {
    answer.tokens.push(...reply.tokens);
    Object.assign(answer, { finish: reply.finish, spent: reply.spent_s, why: reply.why });
  }
}

/** The questions of this browser tab, as they were before a reload; `storage` may be full or switched off. */
export function restored(storage, key) {
  try {
    const found = JSON.parse(storage.getItem(key) || "[]");
    return Array.isArray(found)
      ? found.filter(one => SIDES.every(side => Array.isArray(one?.sides?.[side]?.tokens)))
      : [];
  } catch {
    return [];
  }
}

/** Keep them. */
export function keep(storage, key, history) {
  try {
    storage.setItem(key, JSON.stringify(history.slice(-KEPT)));
  } catch (error) {
    console.info("the chat is not kept over a reload", error);
  }
}
