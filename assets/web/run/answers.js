// Tab 3: what the model answered at an evaluation, and at which evaluations it was right.
import { attrs, el, fill } from "../parts.js";
import { answerHistory } from "./record.js";
import { wordDifference } from "./words.js";

const ENDS = { eos: "", stop: "", length: "cut: it did not stop by itself" };

function small(text, name, act) {
  const node = attrs(el("button", "icon-btn", text), { type: "button", "aria-label": name });
  node.onclick = act;
  return node;
}

const isExact = ({ output, model_response }) => model_response.trim() === output.trim();

function verdict(answer) {
  const isRight = isExact(answer);
  return el("span", `chip ${isRight ? "good" : "bad"}`, isRight ? "✓ exact" : "✗ differs");
}

/** What was expected where that differs, and how the answer ended. */
function aboutText(answer) {
  const expected = !answer.output ? "your own" : isExact(answer) ? "" : `Expected: ${answer.output}`;
  return [expected, ENDS[answer.finish]].filter(Boolean).join(" · ");
}

function answerText({ output, model_response: written }) {
  const parts = output ? wordDifference(output, written) : null;
  if (!parts) return [written.trim() || "(no answer)"];
  const nodes = { same: text => text, missing: text => el("del", "", text), added: text => el("ins", "", text) };
  return parts.flatMap(([kind, text]) => [nodes[kind](text), " "]);
}

/** The card. `choose` is called with another step, or with null for the latest. */
export class Answers {
  constructor(choose) {
    this.choose = choose;
    this.title = el("h2");
    this.count = el("span", "muted");
    this.earlier = small("‹", "Earlier evaluation", () => choose(this.steps[this.at - 1]));
    this.later = small("›", "Later evaluation", () => choose(this.steps[this.at + 1]));
    this.latest = attrs(el("button", "plain-btn", "Latest"), { type: "button" });
    this.latest.onclick = () => choose(null);
    const end = el("span", "end", this.count, this.earlier, this.later, this.latest);
    this.list = attrs(el("ol"), { tabindex: 0, "aria-label": "Answers to fixed validation prompts and your own" });
    this.end = end;
    this.card = el("section", "said", el("header", "", this.title, end), this.list);
    this.reset();
  }

  /** Another run: none of its answers is there yet. */
  reset() {
    this.title.textContent = "Answers";
    this.end.hidden = true;
    this.list.replaceChildren(el("li", "wait", "The first answers come with the first evaluation."));
  }

  /** steps: those with answers. step: the one to show. isLatest: whether it follows the run. todo: those to come. */
  draw(record, { steps, step, isLatest, todo }) {
    if (!steps.length) return;
    Object.assign(this, { steps, at: steps.indexOf(step) });
    const answers = record.samples[step];
    this.end.hidden = false;
    this.title.textContent = `Answers at step ${step}`;
    const known = answers.filter(({ output }) => output); // a question of one's own has no expected answer
    this.count.textContent = known.length ? `${known.filter(isExact).length} of ${known.length} exact` : "";
    this.earlier.disabled = this.at <= 0;
    this.later.disabled = this.at >= steps.length - 1;
    this.latest.setAttribute("aria-pressed", isLatest);
    fill(
      this.list,
      answers.map(answer => this.#item(record, answer, step, todo)),
    );
  }

  #item(record, answer, step, todo) {
    const { instruction, input, output } = answer;
    const ask = el("p", "ask", el("b", "", instruction), input ? ` ${input}` : "");
    ask.title = `${instruction}\n${input}`.trim();
    const said = el("p", "ans", ...answerText(answer));
    const about = el("span", "exp", aboutText(answer));
    about.title = about.textContent;
    const marks = output ? [verdict(answer), about] : [about];
    return el("li", "", ask, said, el("div", "meta", ...marks, this.#history(record, answer.record, step, todo)));
  }

  /** A square per evaluation: filled where the answer was exact, dotted where it is still to come. */
  #history(record, id, step, todo) {
    const squares = answerHistory(record, id).map(({ step: at, isRight }) => {
      const name = `step ${at}: ${isRight ? "exact" : "differs"}`;
      const square = attrs(el("button", isRight ? "ok" : ""), { type: "button", "aria-label": name, tabindex: -1 });
      square.title = name;
      square.onclick = () => this.choose(at);
      if (at === step) square.setAttribute("aria-current", "true");
      return square;
    });
    return el("span", "hist", ...squares, ...Array.from({ length: todo }, () => el("i", "todo")));
  }
}
