// Buttons of findings, on every tab: one row in the grid (data-row), or a finding's rows in the table (data-finding).
import { until } from "./parts.js";

const TABLE = "#finding textarea";

export function rows() {
  addEventListener("click", event => {
    const row = event.target.closest?.("button.link[data-row]");
    if (row) showRow(row.dataset.row);
    const found = event.target.closest?.("button.link[data-finding]");
    if (found) showFinding(found.dataset.finding);
  });
}

async function showRow(row) {
  const tab = [...document.querySelectorAll("[role=tab]")].find(one => one.textContent.trim().startsWith("2"));
  if (tab?.getAttribute("aria-selected") === "false") tab.click(); // from another tab
  await until(() => document.querySelector("#which-rows"));
  const first = () => document.querySelector("#first input");
  if (!first()) document.querySelector("#which-rows > button").click(); // Gradio mounts a group when it is unfolded
  await until(first);
  document.querySelector("#order input")?.click(); // the file's order, the first choice; folded, it was never changed
  type("#find textarea", "");
  type("#first input", row);
}

async function showFinding(code) {
  type("#data-page input", "1");
  await until(() => document.querySelector(TABLE));
  type(TABLE, code);
  document.querySelector("#records")?.scrollIntoView({ block: "start" });
}

/** Fill a box as a visitor would. */
function type(selector, value) {
  const box = document.querySelector(selector);
  if (!box || box.value === value) return;
  box.value = value;
  for (const name of ["input", "change"]) box.dispatchEvent(new Event(name, { bubbles: true }));
}
