// The line at the bottom of tab 4: a question, how its answers are picked, and Ask.
import { attrs, el } from "../parts.js";

const PAUSE = 400; // milliseconds after a key, before the server looks for words that the base model does not know
const OPTIONS = [
  ["temperature", "Temperature", "0: the likeliest token", { value: 0, min: 0, max: 100, step: 0.1 }],
  ["top_k", "Top k", "empty: all tokens", { min: 1, step: 1 }],
  ["top_p", "Top p", "empty: no limit", { min: 0.01, max: 1, step: 0.01 }],
  ["max_new_tokens", "New tokens", "at most", { value: 40, min: 1, max: 1024, step: 1 }],
  ["seed", "Seed", "of what is drawn", { value: 0, min: 0, step: 1 }],
];

const area = (id, name, placeholder, kind = "") =>
  attrs(el("textarea", kind), { id, rows: 1, "aria-label": name, placeholder, maxlength: 20_000 });

function optionFields() {
  const fields = OPTIONS.map(([name, title, info, limits]) => {
    const input = attrs(el("input"), { type: "number", id: `ask-${name}`, ...limits });
    return { name, input, node: el("label", "", el("span", "", title, el("small", "", info)), input) };
  });
  const read = () =>
    Object.fromEntries(fields.filter(one => one.input.value !== "").map(one => [one.name, Number(one.input.value)]));
  return { nodes: fields.map(one => one.node), read };
}

/** {node, fill, enable, opened}; `ask`: with {instruction, input, options}; `prompt`: of a question, by the server. */
export function askForm({ ask, toggle, prompt }) {
  const caret = el("span", "", "▴");
  const fold = attrs(el("button", "fold", el("b", "", "Ask both models"), caret), { type: "button", id: "chat-fold" });
  fold.setAttribute("aria-expanded", "false");
  fold.onclick = () => toggle();
  const instruction = area("ask-instruction", "Instruction", "A question or a task");
  instruction.value = "What is the capital of France?";
  const input = area("ask-input", "Input", "Input, may stay empty", "input");
  const options = optionFields();
  const menu = el("details", "options", el("summary", "ift-btn", "Options"), el("div", "panel", ...options.nodes));
  const send = attrs(el("button", "primary", "Ask"), { type: "submit", id: "ask" });
  const note = attrs(el("p", "unknown"), { role: "status", id: "ask-new" });
  const node = el("form", "", fold, instruction, input, menu, send, note);
  const read = () => ({ instruction: instruction.value, input: input.value });
  node.onsubmit = event => {
    event.preventDefault();
    menu.open = false;
    if (!send.disabled) ask({ ...read(), options: options.read() });
  };
  lines([instruction, input], node);
  hints([instruction, input], note, () => prompt(read()));
  closing(menu);
  return {
    node,
    fill: one => Object.assign(instruction, { value: one.instruction }) && Object.assign(input, { value: one.input }),
    enable: isOn => Object.assign(send, { disabled: !isOn }),
    opened(isOn) {
      fold.setAttribute("aria-expanded", isOn);
      caret.textContent = isOn ? "▾" : "▴";
    },
  };
}

/** Enter asks, with Shift it makes a line. */
function lines(boxes, form) {
  for (const box of boxes) {
    box.onkeydown = event => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    };
  }
}

/** Words that the base model does not know are named while a question is typed. */
function hints(boxes, note, ask) {
  let timer = 0;
  let stamp = 0;
  const look = async () => {
    stamp += 1;
    const mine = stamp;
    const reply = await ask();
    if (mine !== stamp) return;
    const words = [...new Set((reply?.unknown || []).map(word => word.trim()))].filter(Boolean);
    note.textContent = words.length ? `! New to the base model: ${words.slice(0, 5).join(", ")}` : "";
    note.title = words.join(", ");
  };
  for (const box of boxes) {
    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, PAUSE);
    });
  }
}

/** Escape and a click elsewhere close a menu. */
export function closing(menu) {
  menu.addEventListener("keydown", event => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", event => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
}
