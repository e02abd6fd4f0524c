// Pieces that the record and the chat share: tokens on the scale, likeliest tokens, word differences.
import { attrs, el } from "../parts.js";
import { shareText } from "./scale.js";

/** A chip: a sign and a word. */
export const chip = (kind, text) => el("span", `chip ${kind}`, text);

/** The scale's five colors and what they mean. */
export function legend(title, texts) {
  const items = texts.map((text, i) => el("li", "", el("i", `swatch loss-${i}`), text));
  return el("ul", "scale", ...(title ? [el("li", "", el("b", "", title))] : []), ...items);
}

const TAGS = { missing: "del", added: "ins" };

/** Stretches [change, text] as nodes: what is missing struck out, what stands there instead underlined. */
export const difference = stretches =>
  stretches.map(([change, text]) => (TAGS[change] && text.trim() ? el(TAGS[change], "", text) : text));

/** Text on one line. */
export const oneLine = text => text.trim().replace(/\s*\n\s*/g, " ↵ ");

function likely({ id, piece, probability }, { hit, pick }) {
  const bar = el("i");
  bar.style.width = `${100 * probability}%`;
  const cells = [bar, el("span", "t", piece), el("span", "p", shareText(probability))];
  if (!pick) return el("li", id === hit ? "hit" : "", ...cells);
  const button = attrs(el("button", "", ...cells), { type: "button", "aria-label": `Go on from ${piece}` });
  button.onclick = () => pick(id);
  return el("li", id === hit ? "hit" : "", button);
}

/** The likeliest tokens of one side; `hit`: the token that is marked; `pick`: makes each a button. */
export function likeliest(title, side, choices, options) {
  const list = el("ol", "", ...choices.map(choice => likely(choice, options)));
  return el("div", `likeliest ${side}`, el("h3", "", title), list);
}
