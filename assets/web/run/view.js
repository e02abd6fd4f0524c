// What tab 3 shows: the settings before a start, or the run. And the tab's badge while one goes on.
import { keepPage } from "../link.js";
import { attrs, el } from "../parts.js";
import { risen } from "./record.js";

const LIVE = "train-live";
let shown = null; // the run that was last shown, with whether it went on

/** Show the run, or the settings. */
export function setLive(isLive) {
  document.body.classList.toggle(LIVE, isLive);
  keepPage({ live: isLive || undefined });
  if (isLive) dispatchEvent(new Event("resize")); // Plotly fits itself into what it was hidden in
}

export const isLive = () => document.body.classList.contains(LIVE);

export const showSetup = () => setLive(false);

/** A run that goes on takes the screen, and one that ended early; one that had finished before does not. */
export function showLive({ run, over, state }) {
  const now = `${run}/${over}`;
  if (state !== "unknown" && now !== shown && state !== "finished") setLive(true);
  if (state === "unknown") setLive(false);
  shown = now;
}

/** On the tab: how far the run is. */
export function showRunning({ text, kind }) {
  const { style } = document.body;
  style.setProperty("--badge", text ? `"${text}"` : "none");
  style.setProperty("--badge-fill", kind === "warn" ? "var(--warn)" : "var(--acc)");
}

/** Fill a number field as a visitor would. */
function fill(name, value) {
  const box = document.querySelector(`#${name} input`);
  if (!box) return;
  box.value = value;
  for (const event of ["input", "change", "blur"]) box.dispatchEvent(new Event(event, { bubbles: true }));
}

/** Where the loss rose under a higher learning rate than the preset's: a button that sets that one. */
export function offerRate(line, record, { over }) {
  const { about } = record;
  if (!over || !risen(record) || !(about?.learning_rate > about?.preset_rate)) return;
  const rate = String(about.preset_rate);
  const again = attrs(el("button", "plain-btn pri", `Set the learning rate to ${rate}`), { type: "button" });
  again.onclick = () => {
    showSetup();
    fill("learning_rate", rate);
    document.querySelector("#start")?.focus();
  };
  line.append(again);
}
