// The rail of tab 2: folded groups that show their values, the rail itself folded to a strip, on a phone a sheet.
import { attrs, el, until } from "./parts.js";

const NARROW = "(max-width: 760px)";
const DEFAULTS = { other: "none", width: "batch", order: "file", size: 8, first: 0, find: "", max_length: 0 };
const WIDTHS = { batch: "longest row", "data set": "longest of all" };

/** What each group shows beside its name: {id of the group: text}; view: what decides the grid (link.js). */
export function groupTexts(view) {
  const {
    other,
    width,
    order,
    size,
    first,
    find,
    max_length: cut,
    fixed_width: fixed = 128,
  } = { ...DEFAULTS, ...view };
  return {
    "second-mask": other.replaceAll("-", " "),
    "which-rows": find ? `with “${find}”` : `${size} from record ${first}`,
    "what-if": `${WIDTHS[width] || `${fixed} wide`}, ${cut ? `cut at ${cut}` : "no cut"}`,
    "row-order": order === "file" ? "as in the file" : "as training draws",
    numbers: "counts",
  };
}

/** Show them. The attribute is drawn by the style sheet: Gradio writes the button's own text. */
export function showGroups(view) {
  for (const [id, text] of Object.entries(groupTexts(view))) {
    const head = document.querySelector(`#${id} > button`);
    if (head && head.dataset.now !== text) head.dataset.now = text;
  }
}

const setFolded = isFolded => {
  document.body.classList.toggle("norail", isFolded);
  localStorage.setItem("ift-norail", isFolded);
};

/** The strip that a folded rail is, with the button that unfolds it. */
function strip() {
  const unfold = attrs(el("button", "icon-btn", "»"), { type: "button", "aria-label": "Show template and switches" });
  unfold.onclick = () => {
    setFolded(false);
    document.querySelector("#rail-fold").focus();
  };
  return el("div", "ift rail-strip", unfold, el("span", "", "Template and switches"));
}

/** The bar at the foot of a phone's screen, which opens the rail as a sheet. */
function sheetBar() {
  const bar = attrs(el("button", "sheet-bar"), { type: "button", "aria-expanded": "false" });
  bar.append(el("b", "", "Template and switches"), el("span", "muted"));
  bar.onclick = () => {
    const isOpen = document.body.classList.toggle("sheet");
    bar.setAttribute("aria-expanded", isOpen);
  };
  return bar;
}

/** The button that folds the rail, for the line above the editor. */
export function foldButton() {
  const fold = attrs(el("button", "icon-btn", "«"), { type: "button", "aria-label": "Hide template and switches" });
  fold.id = "rail-fold";
  fold.title = "Fold ([)";
  fold.onclick = () => {
    const isFolded = !document.body.classList.contains("norail");
    setFolded(isFolded);
    if (isFolded) document.querySelector(".rail-strip button").focus();
  };
  return fold;
}

/** Mount what belongs to the rail. */
export async function wireRail() {
  document.body.classList.toggle(
    "norail",
    localStorage.getItem("ift-norail") === "true" && !matchMedia(NARROW).matches,
  );
  const rail = await until(() => document.querySelector("#rail"));
  rail.before(strip());
  rail.after(el("div", "ift sheet-place", sheetBar()));
}

/** What the sheet's bar says while it is closed. */
export function showSheet(text) {
  const place = document.querySelector(".sheet-bar span");
  if (place) place.textContent = text;
}
