// Which held-out records are answered, how, by which checkpoint and who judges them: a menu beside the Answer button.
import { attrs, el } from "../parts.js";
import { closing } from "./ask_form.js";

const JUDGE = /^judge/;

function control({ name, kind, choices, value, step, unset }) {
  const id = `answer-${name}`;
  if (kind === "choice") {
    const options = choices.map(one => attrs(el("option", "", one || unset), { value: one }));
    const select = attrs(el("select", "", ...options), { id });
    select.value = value ?? "";
    return select;
  }
  const kinds = kind === "number" ? { type: "number", step } : { type: "text" };
  const tag = kind === "long" ? attrs(el("textarea"), { rows: 4 }) : attrs(el("input"), kinds);
  attrs(tag, { id, placeholder: unset || "" });
  tag.value = value ?? "";
  return tag;
}

/** What the fields hold, by name; a number as a number, an empty field not at all. */
export function read(fields, textOf) {
  const given = fields.map(({ name, kind }) => [name, kind, textOf(name).trim()]).filter(([, , text]) => text !== "");
  return Object.fromEntries(given.map(([name, kind, text]) => [name, kind === "number" ? Number(text) : text]));
}

class Options {
  constructor(root, start) {
    this.fields = [];
    this.sent = { run: null, options: {} }; // what could not be begun is not lost
    this.panel = el("form", "panel");
    const summary = attrs(el("summary", "ift-btn", "Options"), { id: "answer-options-menu" });
    this.menu = el("details", "answer-options", summary, this.panel);
    root.replaceChildren(this.menu);
    closing(this.menu);
    this.panel.onsubmit = event => {
      event.preventDefault();
      this.menu.open = false;
      const textOf = name => this.panel.querySelector(`#answer-${name}`).value;
      this.sent = { run: this.run, options: Object.fromEntries(this.fields.map(({ name }) => [name, textOf(name)])) };
      start({ options: read(this.fields, textOf) });
    };
  }

  draw({ run, fields: given, can, hint } = {}) {
    this.menu.hidden = !given;
    if (!given || this.menu.open) return; // what is being filled in stays
    const sent = run === this.sent.run ? this.sent.options : {};
    const fields = given.map(field => ({ ...field, value: sent[field.name] ?? field.value }));
    Object.assign(this, { run, fields });
    const judged = fields.filter(field => JUDGE.test(field.name));
    const others = fields.filter(field => !JUDGE.test(field.name));
    const send = attrs(el("button", "primary", "Answer with these"), { type: "submit", id: "answer-with-options" });
    send.disabled = !can;
    const group = (title, list, ...more) => {
      const rows = list.map(field =>
        el("label", "", el("span", "", field.name, el("small", "", field.help)), control(field)),
      );
      return el("fieldset", "", el("legend", "", title), ...more, ...rows);
    };
    const help = hint ? [el("p", "muted hint", hint)] : [];
    const judge = judged.length || help.length ? [group("Judge", judged, ...help)] : [];
    this.panel.replaceChildren(el("div", "groups", group("Records and decoding", others), ...judge), send);
  }
}

/** The component; `start`: with {options}. */
export function answerOptions(element, props, watch, start) {
  const one = new Options(element.querySelector(".answer-menu"), start);
  const draw = () => one.draw(props.value || {});
  draw();
  watch("value", draw);
}
