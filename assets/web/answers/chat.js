// Ask both models: tokens stream in, colored by their probability; a click on one shows what else was likely there.
import { attrs, button, el, until } from "../parts.js";
import { roleClass } from "../roles.js";
import { askForm } from "./ask_form.js";
import {
  branch,
  ending,
  exchange,
  inTurn,
  isOpen,
  isWaiting,
  keep,
  question,
  restored,
  SIDES,
  stop,
  write,
} from "./exchange.js";
import { openTab } from "./open_tab.js";
import { chip, legend, likeliest } from "./pieces.js";
import { PROBABILITIES, probabilityColor, shareText } from "./scale.js";

const KEY = "ift-chat";
const TITLES = { before: "Before", after: "After" };

class Chat {
  constructor(root, server) {
    Object.assign(this, { root, server, run: null, at: -1, chosen: null, shows: "top", isBusy: false });
    this.history = restored(sessionStorage, KEY);
    this.form = askForm({
      ask: asked => this.ask(asked),
      toggle: () => this.toggle(),
      prompt: asked => this.prompt(asked),
    });
    this.sides = Object.fromEntries(SIDES.map(side => [side, this.buildSide(side)]));
    this.aside = el("div", "aside");
    this.list = attrs(el("ol", "asked-before"), { "aria-label": "Questions of this session" });
    const foot = el("div", "foot", legend("Probability", PROBABILITIES), this.list);
    const both = SIDES.map(side => this.sides[side].node);
    this.talk = el("div", "talk", ...both, this.aside, foot);
    this.talk.hidden = true;
    root.append(this.form.node, this.talk);
    if (this.history.length) this.show(this.history.length - 1);
    this.work();
  }

  buildSide(side) {
    const title = el("h2", "", TITLES[side]);
    const state = attrs(el("span"), { role: "status" });
    const halt = button("Stop", () => this.halt(side));
    halt.hidden = true;
    const stream = attrs(el("p", "stream"), { "aria-label": `${TITLES[side]}: tokens` });
    const node = el("div", "side", el("div", "row", title, state, halt), stream);
    stream.onclick = event => {
      const token = event.target.closest("[data-at]");
      if (token) this.choose(side, Number(token.dataset.at));
    };
    return { node, title, state, halt, stream };
  }

  /** The run whose models are asked from now on, and what they are called. */
  use({ run, names }) {
    Object.assign(this, { run: run || null, names: names || {} });
    this.form.enable(Boolean(run));
  }

  toggle(isOpened = this.talk.hidden) {
    this.talk.hidden = !isOpened;
    this.root.classList.toggle("open", isOpened);
    document.body.classList.toggle("chatting", isOpened);
    this.form.opened(isOpened);
  }

  get one() {
    return this.history[this.at];
  }

  /** Another question; it waits for those before it. */
  ask(asked) {
    if (!this.run) return;
    this.history.push(exchange({ ...asked, run: this.run, names: this.names }));
    this.toggle(true);
    if (!this.isBusy || this.at < 0) this.show(this.history.length - 1);
    this.drawList();
    this.work();
  }

  /** Answer what waits, one question after the other, both models at once. */
  async work() {
    if (this.isBusy) return;
    this.isBusy = true;
    for (;;) {
      const next = this.history.find(isWaiting);
      if (!next) break;
      if (!this.one || !isWaiting(this.one)) this.show(this.history.indexOf(next));
      const more = asked => this.server.chat_more(asked);
      await Promise.all(SIDES.map(side => write(next, side, more, () => this.drawAnswer(next, side))));
      keep(sessionStorage, KEY, this.history);
      this.drawList();
    }
    this.isBusy = false;
  }

  halt(side) {
    stop(this.one.sides[side]);
    this.drawAnswer(this.one, side);
  }

  show(at) {
    Object.assign(this, { at, chosen: null });
    for (const side of SIDES) {
      this.sides[side].stream.replaceChildren();
      this.drawAnswer(this.one, side);
    }
    this.form.fill(this.one);
    this.drawAside();
    this.drawList();
  }

  drawAnswer(one, side) {
    if (one !== this.one) return;
    const { title, state, halt, stream } = this.sides[side];
    const answer = one.sides[side];
    const name = one.names?.[side];
    title.textContent = `${TITLES[side]}${name ? ` · ${name}` : ""}`;
    state.replaceChildren(chip(...ending(answer)));
    halt.hidden = !isOpen(answer);
    while (stream.children.length > answer.tokens.length) stream.lastChild.remove();
    const first = stream.children.length;
    stream.append(...answer.tokens.slice(first).map((token, i) => this.token(side, token, first + i)));
  }

  token(side, [, piece, share], at) {
    const kind = `tk loss-${probabilityColor(share)}`;
    const values = { type: "button", "data-at": at, title: shareText(share) };
    const node = attrs(el("button", kind, piece), { ...values, "aria-label": `${piece}, ${shareText(share)}` });
    node.classList.toggle("on", this.isChosen(side, at));
    return node;
  }

  isChosen(side, at) {
    return this.chosen?.side === side && this.chosen.at === at;
  }

  /** What else was likely at a token. */
  async choose(side, at) {
    const one = this.one;
    const chosen = { side, at };
    Object.assign(this, { chosen, shows: "top", top: null });
    for (const node of this.talk.querySelectorAll(".tk.on")) node.classList.remove("on");
    this.sides[side].stream.children[at]?.classList.add("on");
    this.drawAside();
    const reply = await inTurn(() => this.server.chat_top(question(one, side, at))).catch(() => null);
    if (this.chosen !== chosen) return;
    this.top = reply || { error: { what: "The server does not answer" } };
    this.drawAside();
  }

  goOn(token) {
    const { side, at } = this.chosen;
    const { stream } = this.sides[side];
    branch(this.one.sides[side], at, token);
    while (stream.children.length > at) stream.lastChild.remove();
    this.drawAnswer(this.one, side);
    stream.children[at]?.classList.add("on");
    this.drawAside();
    this.work();
  }

  drawAside() {
    const tab = (name, text) => {
      const act = attrs(
        button(text, () => this.turn(name)),
        { "aria-pressed": this.shows === name },
      );
      act.classList.add("chip");
      return act;
    };
    const tabs = el("div", "row", tab("top", "Ten likeliest"), tab("prompt", "Prompt"));
    this.aside.replaceChildren(tabs, this.shows === "top" ? this.likely() : this.promptNode());
  }

  turn(name) {
    this.shows = name;
    this.drawAside();
    this.aside.querySelector("[aria-pressed=true]").focus();
  }

  likely() {
    if (!this.chosen) return el("p", "muted", "Click a token: what else was likely there, and where it would lead.");
    if (!this.top) return el("p", "muted", "Asking the model …");
    if (!this.top.top) return el("p", "muted", this.top.error?.what || "The run is gone.");
    const { side, at } = this.chosen;
    const choices = this.top.top.map(([id, piece, probability]) => ({ id, piece, probability }));
    const pick = id => this.goOn(this.top.top.find(token => token[0] === id));
    const hit = this.one.sides[side].tokens[at]?.[0];
    return likeliest(`Token ${at + 1}, ${side}: go on from …`, side, choices, { hit, pick });
  }

  promptNode() {
    const node = el("pre", "prompt");
    if (!this.one) return node;
    this.prompt(this.one).then(reply => {
      const parts = (reply?.parts || []).map(([role, text]) => el("span", roleClass(role), text));
      node.replaceChildren(...parts);
      if (!parts.length) node.textContent = reply?.error?.what || "The run is gone.";
    });
    return node;
  }

  /** The prompt of a question, and the words in it that the base model does not know. */
  prompt({ instruction, input, run = this.run }) {
    return this.server.chat_prompt({ run, instruction, input }).catch(() => null);
  }

  drawList() {
    const items = this.history.map((one, i) => {
      const text = `${isWaiting(one) ? (i === this.at ? "▶ " : "… ") : ""}${one.instruction}`;
      const act = attrs(
        button(text, () => this.show(i)),
        { "aria-pressed": i === this.at, title: one.instruction },
      );
      act.classList.add("chip");
      return el("li", "", act);
    });
    this.list.replaceChildren(...items);
    this.list.scrollLeft = this.list.scrollWidth;
  }
}

/** The component. */
export function chat(element, props, watch, server) {
  const one = new Chat(element.querySelector(".chat"), server);
  const use = () => one.use(props.value || {});
  use();
  watch("value", use);
}

/** A question from another tab into the boxes of this one, which is opened; Gradio mounts it first. */
export async function askElsewhere(instruction, input) {
  openTab(4);
  const box = await until(() => document.querySelector("#ask-instruction"));
  for (const [node, text] of [
    [box, instruction],
    [document.querySelector("#ask-input"), input],
  ]) {
    node.value = text;
    node.dispatchEvent(new Event("input", { bubbles: true }));
  }
  box.focus();
}
