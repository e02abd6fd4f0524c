// Tab 3: what the model answered at an evaluation.
import { attrs, el, scroll, table } from "../parts.js";

const ENDS = { eos: "stopped by itself", stop: "ended as the template does", length: "! cut" };
const ABOUT =
  "Fixed validation prompts and your own, answered greedily at each evaluation. Choose a validation marker in the " +
  "chart to see what the model said then.";

function row({ instruction, input, output, model_response, finish }) {
  const answer = model_response.trim();
  const isGood = answer === output.trim();
  const mark = el("span", `chip ${isGood ? "good" : "bad"}`, isGood ? "✓ exact" : "✗ other");
  const chip = output ? mark : ""; // a question of one's own has no expected answer
  const prompt = el("td", "", el("b", "", instruction), ...(input ? [el("br"), input] : []));
  const said = el("td", "pre", chip, ` ${answer} `, el("span", "muted", ENDS[finish]));
  return el("tr", "", prompt, el("td", "", output), said);
}

/** Fill the card: the answers at step `at` of all `steps`, and a slider that calls `choose` with another step. */
export function drawSamples(card, record, steps, at, choose) {
  const values = { type: "range", min: 0, max: steps.length - 1, "aria-label": "Evaluation to show" };
  const slider = attrs(el("input"), values);
  slider.value = steps.indexOf(at);
  slider.oninput = () => {
    choose(steps[slider.value]);
    card.querySelector("input").focus();
  };
  const head = [["Prompt"], ["Expected"], ["Answer"]];
  const answers = table(head, record.samples[at].map(row), el("caption", "", ABOUT));
  const title = el("h2", "", `What the model says at step ${at}`);
  card.replaceChildren(
    el("div", "row sp", title, el("label", "row", "Scrub", slider)),
    scroll("Sampled answers", answers),
  );
}
