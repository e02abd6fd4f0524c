// Tab 5: two to six runs side by side.
import { el, scroll, table } from "../parts.js";
import { action } from "./action.js";
import { curves, intervals, LETTERS } from "./charts.js";

const ENDS = { eos: "", stop: "", length: " ! cut, it did not stop" };
const chip = verdict =>
  el("span", `chip ${verdict === "decided" ? "good" : "warn"}`, verdict === "decided" ? "✓ decided" : "? undecided");
const points = value => `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`;
const percent = value => (value === null ? "none" : `${(100 * value).toFixed(1)} %`);

/** A score's line as text: means, difference, interval. */
export function scoreCells(score) {
  const [low, high] = score.interval;
  const difference = `${points(score.difference)} [${points(low)}, ${points(high)}]`;
  return [percent(score.first), percent(score.other), difference];
}

function verdicts(made) {
  const seeds = "One seed each: run more seeds before you generalize. ";
  const about = "A verdict is decided where the 95 % interval of the paired difference leaves out zero.";
  return made.verdicts.map(({ verdict, sentence, better, worse, n }, i) => {
    const name = `${LETTERS[i + 1]} against A`;
    const counts = `${n} records, paired bootstrap; ${LETTERS[i + 1]} better on ${better}, worse on ${worse}. `;
    const head = el("div", "row", el("h3", "", name), chip(verdict));
    return el(
      "div",
      `card verdict ${verdict}`,
      head,
      el("p", "lead", sentence),
      el("p", "muted", counts, seeds, about),
    );
  });
}

function settings(made) {
  const heads = [["Setting"], ...made.runs.map((run, i) => [`${LETTERS[i]}: ${run}`])];
  const rows = made.differences.map(({ name, values }) =>
    el("tr", "", el("td", "", name), ...values.map(value => el("td", "pre", value))),
  );
  const same = Object.entries(made.same).map(([name, value]) => `${name} ${value.slice(0, 60)}`);
  const rest = el(
    "details",
    "",
    el("summary", "", `${same.length} settings are the same`),
    el("p", "muted", same.join(" · ")),
  );
  return el("div", "card", el("h3", "", "What differs"), scroll("What differs", table(heads, rows)), rest);
}

function curveCard(made) {
  const role = made.curves[0].role;
  const title = `Validation loss${role ? ` on the ${role}` : ""}, nats per token`;
  const heads = [["Step", "n"], ...made.runs.map((_, i) => [LETTERS[i], "n"])];
  const steps = [...new Set(made.curves.flatMap(curve => curve.points.map(([step]) => step)))].sort((a, b) => a - b);
  const rows = steps.map(step => {
    const values = made.curves.map(curve => curve.points.find(([s]) => s === step)?.[1].toPrecision(4) ?? "");
    return el("tr", "", el("td", "n", String(step)), ...values.map(value => el("td", "n", value)));
  });
  const values = el("details", "", el("summary", "", "Values as a table"), scroll(title, table(heads, rows)));
  return el("div", "card", el("h3", "", title), curves(made.curves), values);
}

function scoreCard(made) {
  const cards = made.scores.map((scores, i) => {
    const heads = [["Score"], ["A", "n"], [LETTERS[i + 1], "n"], [`${LETTERS[i + 1]} − A, points`, "n"], ["Verdict"]];
    const rows = scores.map(score => {
      const cells = scoreCells(score).map(text => el("td", "n", text));
      return el("tr", "", el("td", "", made.titles[score.score]), ...cells, el("td", "", chip(score.verdict)));
    });
    const name = `Scores, ${LETTERS[i + 1]} against A`;
    return el("div", "card", el("h3", "", name), scroll(name, table(heads, rows)), intervals(scores, made.titles));
  });
  if (made.missing.length) {
    cards.push(
      el("p", "msg warn", `Not scored yet: ${made.missing.join(", ")}. Answer its held-out records on tab 4.`),
    );
  }
  return cards;
}

function answerCard(made) {
  const heads = [["Prompt"], ["Expected"], ...made.runs.map((_, i) => [LETTERS[i]])];
  const rows = made.answers.map(one => {
    const said = one.answers.map((text, i) => {
      const mark = one.right[i] === 1 ? "✓ " : one.right[i] === null ? "" : "✗ ";
      return el("td", "pre", `${mark}${text.trim()}`, el("span", "muted", ENDS[one.finish[i]]));
    });
    const asked = el("td", "", el("b", "", one.instruction), ...(one.input ? [el("br"), one.input] : []));
    return el("tr", one.is_split ? "split" : "", asked, el("td", "", one.output), ...said);
  });
  const title = `The same records, first those that only some got right (${made.answers.length} of ${made.answered})`;
  return el("div", "card", el("h3", "", title), scroll(title, table(heads, rows)));
}

/** The comparison as text for a document. */
export function asText(made) {
  const lines = made.scores.flatMap((scores, i) =>
    scores.map(score => [made.runs[i + 1], made.titles[score.score], ...scoreCells(score), score.verdict].join("\t")),
  );
  return [["run", "score", made.runs[0], "run", "difference", "verdict"].join("\t"), ...lines].join("\n");
}

/** Everything about the runs, below each other. */
export function comparison(made) {
  const copy = action("Copy as table", "Copy the scores as a table", () => navigator.clipboard.writeText(asText(made)));
  const answers = made.answers.length ? [answerCard(made)] : [];
  return [copy, ...verdicts(made), settings(made), curveCard(made), ...scoreCard(made), ...answers];
}
