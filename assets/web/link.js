// The page's address: a link restores the view that its fragment holds.
import { until } from "./parts.js";
import { decode, encode } from "./permalink.js";

/** What a class need not see. */
export const HIDES = ["editor", "switches", "code"];

/** The text of the link that the page was opened with; empty where there is none. */
export const linkText = () => location.hash.match(/^#view=([\w-]+)$/)?.[1] || "";

/** Its view. */
export const linked = decode(linkText());

let shown = {};

/** The view that a link made from now on restores. */
export function keep(view) {
  shown = view;
}

/** A link to it; `hide`: some of HIDES. */
export function makeLink(hide = []) {
  const view = hide.length ? { ...shown, hide } : shown;
  return `${location.origin}${location.pathname}#view=${encode(view)}`;
}

const promptTab = () => [...document.querySelectorAll("[role=tab]")].find(tab => /^\s*2 /.test(tab.textContent));

/** Open what a link leads to, on the second tab, without what it hides. */
export function openLink() {
  const hidden = Array.isArray(linked.hide) ? linked.hide : [];
  for (const name of HIDES) document.body.classList.toggle(`hide-${name}`, hidden.includes(name));
  if (linkText()) until(promptTab).then(tab => tab.click());
  addEventListener("hashchange", () => linkText() && location.reload());
}
