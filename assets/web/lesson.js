// The lesson: one step at a time beside the real controls, with a guess before each reveal.
import { attrs, button, el } from "./parts.js";

const tabs = () => [...document.querySelectorAll("[role=tab]")];
const openTab = number =>
  tabs()
    .find(tab => tab.textContent.trim().startsWith(`${number} `))
    ?.click();

class LessonView {
  /** `prepare`: sets the controls that a setup names. */
  constructor(panel, lesson, prepare) {
    Object.assign(this, { panel, lesson, prepare, at: 0, guesses: {} });
    attrs(panel, { role: "region", "aria-label": lesson.title });
    panel.hidden = true;
  }

  toggle(opener) {
    this.opener = opener;
    this.panel.hidden = !this.panel.hidden;
    attrs(opener, { "aria-expanded": !this.panel.hidden });
    if (this.panel.hidden) opener.focus();
    else this.go(this.at);
  }

  go(number) {
    this.at = Math.max(0, Math.min(this.lesson.steps.length - 1, number));
    openTab(this.lesson.steps[this.at].tab);
    this.draw();
    this.panel.querySelector("h2").focus();
  }

  draw() {
    const step = this.lesson.steps[this.at];
    const title = attrs(el("h2", "", step.title), { tabindex: -1 });
    const texts = step.text.split("\n").map(text => el("p", "", text));
    const parts = [...this.question(step), ...this.setups(step), ...this.twin(step)];
    this.panel.replaceChildren(this.head(), title, ...texts, ...parts, this.foot());
  }

  head() {
    const steps = this.lesson.steps.map((step, number) => {
      const dot = button(String(number + 1), () => this.go(number));
      return attrs(dot, { "aria-label": step.title, "aria-current": number === this.at ? "step" : "false" });
    });
    const close = attrs(
      button("×", () => this.toggle(this.opener)),
      { "aria-label": "Close the lesson" },
    );
    return el("div", "row head", attrs(el("div", "row", ...steps), { role: "group", "aria-label": "Steps" }), close);
  }

  question(step) {
    if (!step.choices.length) return step.look ? [el("p", "", step.look)] : [];
    const guess = this.guesses[this.at];
    const options = step.choices.map((text, number) => this.choice(step, text, number));
    const asked = el("fieldset", "", el("legend", "", step.question), ...options);
    if (guess === undefined) return [asked];
    const isRight = guess === step.right;
    const text = isRight ? "✓ as you guessed" : "! not as you guessed";
    const said = el("span", `chip ${isRight ? "good" : "warn"}`, text);
    const reveal = attrs(el("div", "reveal", said, el("p", "", step.reveal)), { role: "status" });
    return [asked, reveal, el("p", "look", el("b", "", "Look: "), step.look)];
  }

  choice(step, text, number) {
    const guess = this.guesses[this.at];
    const input = attrs(el("input"), { type: "radio", name: `lesson-${this.at}`, value: number });
    input.checked = guess === number;
    input.disabled = guess !== undefined;
    input.onclick = () => {
      if (this.isKey) return; // an arrow key moves among the answers; Enter or the button chooses
      this.answer(number);
    };
    input.onkeydown = event => {
      this.isKey = event.key.startsWith("Arrow");
      if (event.key !== "Enter") return;
      event.preventDefault(); // else it would press the button that gets the focus
      this.answer(number);
    };
    const mark = guess !== undefined && number === step.right ? " ✓" : "";
    return el("label", "", input, el("span", "", `${text}${mark}`));
  }

  answer(number) {
    this.guesses[this.at] = number;
    this.draw();
    this.panel.querySelector(".foot .next").focus();
  }

  setups(step) {
    if (!step.setups.length) return [];
    const said = attrs(el("p", "muted"), { role: "status" });
    const acts = step.setups.map(({ label }, number) =>
      button(`Set ${label}`, () => {
        openTab(step.tab);
        this.prepare({ step: this.at, setup: number });
        said.textContent = `Set: ${label}.`;
      }),
    );
    return [el("div", "row setups", ...acts), said];
  }

  twin(step) {
    if (!step.twin) return [];
    const open = button("Show the experiment on tab 5", () => {
      openTab(5);
      setTimeout(() => document.querySelector(`#experiments [data-twin="${step.twin}"]`)?.scrollIntoView(), 300);
    });
    return [open];
  }

  foot() {
    const isLast = this.at === this.lesson.steps.length - 1;
    const back = button("‹ Back", () => this.go(this.at - 1));
    back.disabled = this.at === 0;
    const next = isLast
      ? button("Close", () => this.toggle(this.opener))
      : button("Next ›", () => this.go(this.at + 1));
    next.classList.add("next");
    return el("div", "row foot", back, next);
  }
}

/** The component: a button in the page's head opens it. */
export function lesson(element, props, prepare) {
  const view = new LessonView(element.querySelector(".lesson"), props.value, prepare);
  const head = document.querySelector("#head .tools");
  const opener = attrs(el("button", "", "Lesson"), { type: "button", id: "lesson-button", "aria-expanded": false });
  opener.onclick = () => view.toggle(opener);
  head?.prepend(opener);
}
