// Rate answers by hand, one after the other, without knowing which model wrote them; then how far a judge agrees.
import { attrs, button, el } from "../parts.js";

const GRADES = [0, 25, 50, 75, 100];

/** How far a judge agrees, in words. */
export function agreementText({ judge, n, correlation, interval, reason }) {
  if (correlation === null) return `${judge}: no agreement yet, ${reason} (${n} so far).`;
  const range = interval ? `, 95 % interval ${interval.map(one => one.toFixed(2)).join(" to ")}` : "";
  return `${judge} agrees with you: rank correlation ${correlation.toFixed(2)}${range}, ${n} answers.`;
}

/** The first answer without a grade, from a place on; -1 where all have one. */
export function nextOpen(items, from = 0) {
  const after = items.findIndex((item, i) => i >= from && item.value === null);
  return after >= 0 ? after : items.findIndex(item => item.value === null);
}

export class Rating {
  /** `ask`: {load, rate}, by the server. */
  constructor(ask) {
    Object.assign(this, { ask, items: [], at: -1 });
    this.body = el("div", "rating");
    this.dialog = attrs(el("dialog", "ift rate", this.body), { "aria-label": "Rate answers by hand" });
    this.button = attrs(
      button("Rate by hand", () => this.open()),
      { id: "rate" },
    );
    this.dialog.onkeydown = event => this.key(event);
  }

  async open() {
    this.dialog.showModal();
    await this.take(this.ask.load());
    this.at = nextOpen(this.items);
    this.draw();
  }

  async take(asked) {
    const reply = await asked.catch(() => null);
    this.error = reply?.error ? `${reply.error.what}. ${reply.error.fix}` : reply?.items ? "" : "The answers are gone.";
    if (reply?.items) Object.assign(this, { items: reply.items, agreement: reply.agreement });
  }

  async rate(value) {
    const { record, side } = this.items[this.at];
    await this.take(this.ask.rate({ record, side, value }));
    if (!this.error) this.at = nextOpen(this.items, this.at + 1);
    this.draw();
  }

  key(event) {
    const grade = GRADES[Number(event.key) - 1];
    if (this.at < 0 || grade === undefined || event.target.matches("input")) return;
    event.preventDefault();
    this.rate(grade);
  }

  draw() {
    const done = this.items.filter(item => item.value !== null).length;
    const close = attrs(
      button("Close", () => this.dialog.close()),
      { "data-close": "" },
    );
    const head = el("div", "row", el("h2", "", `Rate by hand: ${done} of ${this.items.length}`), close);
    const told = this.error ? [el("p", "bad", this.error)] : [];
    const item = this.items[this.at];
    const judges = (this.agreement || []).map(one => el("p", "", agreementText(one)));
    const none = judges.length
      ? []
      : [
          el(
            "p",
            "muted",
            "No judge has graded these answers: choose one under Options, and see how far it agrees with you.",
          ),
        ];
    this.body.replaceChildren(head, ...told, ...(item ? this.question(item) : this.end()), ...judges, ...none);
    this.body.querySelector(".grades button, [data-close]").focus();
  }

  end() {
    const text = this.items.length
      ? "All are rated. Thank you."
      : "There is nothing to rate: both models have to answer first.";
    const again = button("Rate again", () => Object.assign(this, { at: 0 }) && this.draw());
    return [el("p", "", text), ...(this.items.length ? [again] : [])];
  }

  question({ instruction, input, expected, answer, value }) {
    const rows = [
      ["Task", el("dd", "", el("b", "", instruction), input ? ` ${input}` : "")],
      ["Expected", el("dd", "", expected)],
      ["Answer", el("dd", "big", answer.trim() || "(nothing)")],
    ];
    const grades = GRADES.map((grade, i) =>
      attrs(
        button(String(grade), () => this.rate(grade)),
        { title: `Key ${i + 1}` },
      ),
    );
    const own = attrs(el("input"), {
      type: "number",
      min: 0,
      max: 100,
      step: 1,
      "aria-label": "Another grade",
      value: value ?? "",
    });
    own.onkeydown = event => event.key === "Enter" && own.value !== "" && this.rate(Math.round(Number(own.value)));
    const hint = "0: useless, 100: as good as the expected answer. Keys 1 to 5, or a number and Enter.";
    return [
      el("dl", "three", ...rows.flatMap(([name, text]) => [el("dt", "", name), text])),
      el("div", "grades", ...grades, own),
      el("p", "muted", hint),
    ];
  }
}
