// The verdict in one line, and a tile per score that opens what the score means and can't see.
import { attrs, el } from "../parts.js";
import { closing } from "./ask_form.js";
import { chip } from "./pieces.js";

const SIGNS = { good: "✓", warn: "!", bad: "✗", acc: "▶" };

/** The verdict's line; `told`: {tone, title, sentence, basis, cautions}. */
export function verdictLine(told) {
  if (!told) return [];
  const sign = chip(`fill ${told.tone}`, `${SIGNS[told.tone]} ${told.title}`);
  const more = [told.basis, ...told.cautions].filter(Boolean);
  const [first] = told.cautions;
  const line = el("p", "said", told.sentence, first ? el("span", "muted", ` ${first}`) : "");
  if (!more.length) return [sign, line];
  const panel = el("div", "panel", el("p", "", told.sentence), ...more.map(text => el("p", "muted", text)));
  const fold = el("details", "why", attrs(el("summary", "ift-btn"), { "aria-label": "What can be concluded" }), panel);
  fold.firstChild.textContent = "?";
  closing(fold);
  return [sign, line, fold];
}

function range({ before, after, most }) {
  const bar = attrs(el("span", "range"), { "aria-hidden": true });
  if (before === null || after === null) return bar;
  const [from, to] = [before, after].map(value => `${Math.min(100, (100 * value) / most)}%`);
  const [start, end] = [Math.min(before, after), Math.max(before, after)].map(value => (100 * value) / most);
  const parts = [el("i", "between"), el("i", "before-dot"), el("i", "after-dot")];
  parts[0].style.cssText = `left:${Math.min(100, start)}%;width:${Math.min(100, end) - Math.min(100, start)}%`;
  parts[1].style.left = from;
  parts[2].style.left = to;
  bar.append(...parts);
  return bar;
}

function tile(score) {
  const means = [el("span", "muted", score.before_text), " → ", el("b", "", score.after_text)];
  const face = el("summary", "", el("span", "name", score.title), el("span", "means", ...means), range(score));
  const rows = [
    ["What it is", score.meaning],
    ["Change", score.change],
    ["Records", score.outcome],
    ["Can't see", score.blind],
  ];
  const facts = rows.filter(([, text]) => text).flatMap(([name, text]) => [el("dt", "", name), el("dd", "", text)]);
  const node = el("details", `score ${score.tone}`, face, el("div", "panel", el("dl", "", ...facts)));
  closing(node);
  return node;
}

/** The tiles of all scores. */
export function scoreTiles(scores) {
  return scores.map(tile);
}
