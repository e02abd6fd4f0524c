// The chosen record: its texts, the loss of each token of the expected answer, and where the answers part.
import { attrs, button, el } from "../parts.js";
import { chip, difference, legend, likeliest, oneLine } from "./pieces.js";
import { LOSSES, lossColor, meanText, shareText } from "./scale.js";

const EOS_ID = 50256;
const CONTEXT = 4; // tokens shown before the chosen one
const PAUSE = 120; // milliseconds on one record, before the models are asked
const MOST_TOKENS = 400; // in the strip: each is three nodes

const SILENT = { error: { what: "The server does not answer." } };

const label = ({ id, piece }) => (id === EOS_ID ? "EOS" : piece);

function state({ after, has_check }) {
  if (!after) return chip("", "not answered yet");
  if (after.reason) return chip("warn", `! ${after.reason}`);
  if (after.finish === "length") return chip("warn", "! never stopped");
  if (after.right === null) return "";
  if (after.right === 1) return chip("good", has_check ? "✓ passes its check" : "✓ exact");
  return chip("bad", has_check ? "✗ fails its check" : "✗ not exact");
}

function answer(side, name) {
  if (!side) return el("span", "muted", "not answered yet");
  if (side.reason) return el("span", "muted", side.reason);
  if (!side.text.trim()) return el("span", "muted", "nothing: it stopped at once");
  return name === "before" ? oneLine(side.text) : el("span", "answer", ...difference(side.compared));
}

/** The first token that the fine-tuned model's answer leaves, else the one that training helped most. */
export function firstChoice({ tokens, leaves_at }) {
  if (leaves_at !== null) return leaves_at;
  const gains = tokens.map(({ before, after }) => before.loss - after.loss);
  return Math.max(0, gains.indexOf(Math.max(...gains)));
}

/** P(EOS) at the true end, in words; empty where the end does not fit. */
export function endText({ tokens }) {
  const last = tokens.at(-1);
  if (last?.id !== EOS_ID) return "";
  const share = side => shareText(Math.exp(-last[side].loss));
  return `P(EOS) at the true end: ${share("before")} → ${share("after")}`;
}

export class Detail {
  /** `ask`: {texts, tokens} of a record; `step`: to the record by so many rows; `openLens`: shows it on tab 2. */
  constructor({ ask, step, openLens }) {
    Object.assign(this, { ask, step, openLens, stamp: 0, timer: 0, record: null, place: {} });
    this.head = el("header");
    this.body = attrs(el("div", "body"), { tabindex: 0, role: "region", "aria-label": "Texts and losses" });
    this.node = attrs(el("section", "detail", this.head, this.body), { "aria-label": "Chosen record" });
    this.losses = el("div", "losses");
    this.extra = el("div", "extra");
  }

  /** Show a record, or nothing; `place`: among the rows. */
  async show(record, place) {
    this.stamp += 1;
    const { stamp } = this;
    clearTimeout(this.timer);
    Object.assign(this, { record, place });
    this.node.hidden = record === null;
    if (record === null) return;
    const texts = await this.ask.texts(record).catch(() => null);
    if (stamp !== this.stamp || !texts) return;
    this.drawTexts(texts);
    if (!texts.error && !texts.gone) this.timer = setTimeout(() => this.look(record, stamp), PAUSE);
  }

  async look(record, stamp) {
    const found = (await this.ask.tokens(record).catch(() => null)) || SILENT;
    if (stamp !== this.stamp) return;
    this.found = found;
    if (found.error) this.losses.replaceChildren(el("p", "muted", `${found.error.what} ${found.error.fix || ""}`));
    else if (found.tokens?.length) this.drawTokens(firstChoice(found));
    else this.losses.replaceChildren(el("p", "muted", "The expected answer does not fit in the context."));
  }

  drawTexts(texts) {
    if (texts.error || texts.gone) {
      this.head.replaceChildren(el("h2", "", `Record ${this.record}`));
      this.body.replaceChildren(el("p", "muted", texts.error ? texts.error.what : "The record is not there any more."));
      return;
    }
    this.drawHead(texts);
    const rows = [
      ["Expected", el("dd", "", texts.expected.trim())],
      ["Before", el("dd", "muted two-lines", answer(texts.before, "before"))],
      ["After", el("dd", "big", answer(texts.after, "after"))],
    ];
    const three = el("dl", "three", ...rows.flatMap(([name, text]) => [el("dt", "", name), text]));
    const [, before] = three.querySelectorAll("dd");
    before.onclick = () => before.classList.toggle("two-lines");
    const asked = el("p", "asked", el("b", "", texts.instruction), texts.input ? ` ${texts.input}` : "");
    this.losses.replaceChildren(el("p", "muted", "Asking both models …"));
    this.body.replaceChildren(asked, three, this.extra, this.losses, this.drawMore(texts));
    this.body.scrollTop = 0;
  }

  drawHead(texts) {
    const { hasBefore, hasBehind } = this.place;
    const go = (sign, name, by, can) => {
      const act = attrs(
        button(sign, () => this.step(by)),
        { "aria-label": name },
      );
      act.disabled = !can;
      return act;
    };
    const title = el("h2", "", `Record ${texts.record}${texts.task ? ` · ${texts.task}` : ""}`);
    const steps = [go("‹", "Previous record", -1, hasBefore), go("›", "Next record", 1, hasBehind)];
    this.head.replaceChildren(title, el("span", "end", state(texts), ...steps));
  }

  drawMore(texts) {
    const scores = ["before", "after"].map(
      side => new Map((texts[side]?.scores || []).map(([by, ...rest]) => [by, rest])),
    );
    const names = [...new Set([...scores[0].keys(), ...scores[1].keys()])];
    const value = ([number, reason] = [null, "–"]) => (number === null ? reason : Number(number).toFixed(2));
    const rows = names.map(name =>
      el("tr", "", ...[name, ...scores.map(one => value(one.get(name)))].map(text => el("td", "", text))),
    );
    const head = el("tr", "", ...["Score", "Before", "After"].map(text => el("th", "", text)));
    const fold = (title, child) => el("details", "", el("summary", "", title), child);
    const act = button("Open in the lens", () => this.openLens(texts.record));
    act.id = "open-in-lens";
    return el(
      "div",
      "more",
      act,
      fold("The exact prompt", el("pre", "code", texts.prompt)),
      fold("Its scores", el("table", "scores-of", el("thead", "", head), el("tbody", "", ...rows))),
    );
  }

  drawTokens(at) {
    const { tokens, leaves_at } = this.found;
    const shown = tokens.slice(0, MOST_TOKENS);
    const cut = tokens.length > shown.length ? `, the first ${MOST_TOKENS} of ${tokens.length}` : "";
    const title = el("h2", "", `Loss per token of the expected answer${cut}`);
    const scroll = el("div", "strip", this.strip(shown, at));
    const end = el("p", "muted", endText(this.found));
    this.losses.replaceChildren(el("div", "cap", title, legend("", LOSSES)), scroll, end, this.parting(at, leaves_at));
    const on = scroll.querySelector(".on");
    if (on && on.offsetLeft + on.offsetWidth > scroll.clientWidth)
      scroll.scrollLeft = on.offsetLeft - scroll.clientWidth / 2;
  }

  strip(tokens, at) {
    const pieces = tokens.map((token, i) => el("td", i === at ? "on" : "", label(token)));
    const side = name => {
      const losses = tokens.map(token => token[name].loss);
      const cells = losses.map((loss, i) => el("td", "", this.cell(tokens[i], name, loss, i, at)));
      return el("tr", "", el("th", "", name, el("small", "", meanText(losses))), ...cells);
    };
    const head = el("tr", "", el("th", "", el("span", "vh", "token")), ...pieces);
    return el("table", "", el("tbody", "", head, side("before"), side("after")));
  }

  cell(token, side, loss, i, at) {
    const act = button(loss.toFixed(2), () => this.pick(i, side));
    act.className = `tk loss-${lossColor(loss)} ${i === at ? "on" : ""}`;
    return attrs(act, { "aria-label": `${label(token)}: loss ${loss.toFixed(2)} ${side}`, "data-token": i });
  }

  pick(i, side) {
    const { scrollLeft } = this.losses.querySelector(".strip");
    this.drawTokens(i);
    this.losses.querySelector(".strip").scrollLeft = scrollLeft;
    const row = side === "before" ? 0 : 1;
    this.losses.querySelectorAll(`[data-token="${i}"]`)[row]?.focus({ preventScroll: true });
  }

  parting(at, leavesAt) {
    const { tokens } = this.found;
    const token = tokens[at];
    const context = tokens.slice(Math.max(0, at - CONTEXT), at).map(one => el("span", "ctx", label(one)));
    const strip = [at > CONTEXT ? "… " : "", ...context, el("em", "", "→"), el("span", "ctx wanted", label(token))];
    const title = at === leavesAt ? `Where they part, token ${at + 1}` : `Token ${at + 1}`;
    const top = (name, side) => {
      const named = token[side].top.map(choice => ({ ...choice, piece: label(choice) }));
      return likeliest(name, side, named, { hit: token.id });
    };
    const pair = el("div", "pair", top("Before would write", "before"), top("After would write", "after"));
    return el("div", "parting", el("div", "cap", el("h2", "", title), el("span", "context", ...strip)), pair);
  }
}
