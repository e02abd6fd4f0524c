// Tab 5: the twins.
import { el, progress } from "../parts.js";
import { action } from "./action.js";
import { LETTERS } from "./charts.js";

const CHIPS = {
  new: ["", "not run here"],
  waiting: ["acc", "waiting"],
  running: ["acc", "▶ running"],
  comparing: ["acc", "comparing the answers"],
  decided: ["good", "✓ decided"],
  undecided: ["warn", "? undecided"],
};
export const FILTERS = {
  all: () => true,
  "run here": card => card.runs.length > 0,
  "not run here": card => !card.runs.length,
  "broken on purpose": card => card.is_broken,
};

/** What a card says about where it is. */
export function stateText(card) {
  if (card.state === "waiting") return card.place ? `waiting, place ${card.place + 1}` : "starts next";
  if (card.state === "running") {
    const how = card.is_answering ? "answering" : `${Math.round(100 * card.progress)} %`;
    return `▶ run ${card.run_number} of ${card.sides.length}, ${how}`;
  }
  const isOne = card.state === "decided" && card.seeds === 1;
  return isOne ? "✓ decided for this seed" : CHIPS[card.state][1];
}

function texts(card) {
  const shipped = card.shipped.length ? [el("p", "", el("b", "", "Measured: "), card.shipped.join(" "))] : [];
  const chip = card.shipped_verdict === "undecided" ? [el("p", "muted", "Undecided: chance may explain it.")] : [];
  if (card.here.length) return [el("p", "", el("b", "", "Here: "), card.here.join(" ")), ...shipped];
  return [...shipped, ...chip];
}

function actions(card, act) {
  const isBusy = card.state === "waiting" || card.state === "running";
  if (isBusy) return [progress(`Progress of ${card.title}`, Math.round(100 * card.progress), 100)];
  const name = text => `${text}: ${card.title}`;
  if (!card.runs.length) {
    const run = action("Run them", name("Run them"), () => act.begin(card));
    return [run, el("span", "muted", ` about ${card.minutes} min`)];
  }
  return [
    action("Compare", name("Compare"), () => act.compare(card.runs, card.name)),
    action("One more seed", name("One more seed"), () => act.begin(card)),
  ];
}

/** A twin: its sides, what is known about it, what can be done. */
export function card(one, act, isHidden) {
  const [kind] = CHIPS[one.state];
  const chips = [el("span", `chip ${kind}`, stateText(one))];
  if (one.is_broken) chips.push(el("span", "chip bad", "✗ broken on purpose"));
  const sides = one.sides.flatMap((side, i) => [el("dt", "", LETTERS[i]), el("dd", "", side)]);
  const question = el("p", "question", one.question);
  const known = isHidden
    ? [action("Show what was measured", `Show what was measured: ${one.title}`, () => act.reveal(one.name))]
    : texts(one);
  const node = el("article", "card twin");
  node.dataset.twin = one.name;
  node.append(
    el("div", "row", ...chips),
    el("h3", "", one.title),
    el("dl", "", ...sides),
    question,
    ...known,
    el("div", "row foot", ...actions(one, act)),
  );
  return node;
}
