// The runs of this server beside the settings; a click shows one.

import { visit } from "../link.js";
import { attrs, el } from "../parts.js";
import { setLive } from "./view.js";

const NARROW = "(max-width: 1399px)";
const KEPT = "ift-noruns";

/** The component; `chosen` is called with {run}. Its entries are the server's HTML (playground/views/run_list.py). */
export function runList(element, chosen) {
  const { body } = document;
  const kept = localStorage.getItem(KEPT);
  body.classList.toggle("noruns", kept === null ? matchMedia(NARROW).matches : kept === "true");
  const fold = attrs(el("button", "icon-btn"), { type: "button" });
  const show = () => {
    const isFolded = body.classList.contains("noruns");
    fold.textContent = isFolded ? "»" : "«";
    fold.setAttribute("aria-label", isFolded ? "Show the runs" : "Hide the runs");
  };
  fold.onclick = () => {
    localStorage.setItem(KEPT, body.classList.toggle("noruns"));
    show();
  };
  show();
  const rail = element.closest("#runs");
  rail.prepend(el("div", "ift runs-head", el("h2", "", "Runs"), fold)); // a new list replaces all in the component
  rail.addEventListener("click", event => {
    const button = event.target.closest("[data-run]");
    if (!button) return;
    setLive(true);
    visit({ run: button.dataset.run, live: true });
    chosen({ run: button.dataset.run });
  });
}
