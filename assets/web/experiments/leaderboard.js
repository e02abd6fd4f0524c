// Tab 5: runs that answered the same whole test set, best first.
import { count } from "../numbers.js";
import { attrs, el, scroll, table } from "../parts.js";

const HEAD = [
  ["", "n"],
  ["Run", ""],
  ["Exact match", "n"],
  ["Token F1", "n"],
];
const percent = value => (value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);

function row({ place, title, about, is_own, exact_match, token_f1 }) {
  const name = el("td", "", is_own ? el("b", "", title) : title, el("div", "muted", about));
  const cells = [el("td", "n", String(place)), name];
  for (const value of [exact_match, token_f1]) cells.push(el("td", "n", percent(value)));
  return attrs(el("tr", is_own ? "own" : "", ...cells), is_own ? { "aria-label": `${title}, yours` } : {});
}

/** A table for each test set. */
export function leaderboard({ name, sha256, records, runs, before, places }) {
  const title = `${name}: ${count(records)} test records`;
  const base = `Before any training: ${percent(before.exact_match)}. The file's sha256 begins with ${sha256}.`;
  const more = runs > places.length ? [el("p", "muted", `The first ${places.length} of ${count(runs)} runs.`)] : [];
  return el(
    "section",
    "",
    el("h3", "", title),
    scroll(title, table(HEAD, places.map(row))),
    el("p", "muted", base),
    ...more,
  );
}
