// The page's tabs and its history: Back leads to the tab before, with what it showed.
import { HIDES, keepPage, linked, openedText, visit, watchHistory, whole } from "./link.js";
import { until } from "./parts.js";
import { isLive, setLive } from "./run/view.js";

const NAMES = ["data", "prompt", "train", "compare", "experiments"];
const BUTTONS = "#tabs > .tab-wrapper button";

/** The tab that is open. */
const openTab = () => NAMES.find(name => document.querySelector(`#tab-${name}`)?.checkVisibility()) || NAMES[0];

/** Its button, in the bar or in the menu of what does not fit there. */
function buttonOf(name) {
  const number = NAMES.indexOf(name) + 1;
  const isIts = one => !one.closest("[aria-hidden=true]") && one.textContent.trim().startsWith(`${number} `);
  return [...document.querySelectorAll(BUTTONS)].find(isIts);
}

async function select(name) {
  if (!NAMES.includes(name)) return;
  const button = await until(() => buttonOf(name));
  if (openTab() !== name) button.click();
}

/** What differs between two states but the tab. */
const rest = ({ tab: _tab, live: _live, pin: _pin, step: _step, ...others }) => JSON.stringify(others);

/** Connect tabs and history; `restore` asks the server for what a state says. */
export function wireTabs(restore) {
  const hidden = Array.isArray(linked.hide) ? linked.hide : [];
  for (const name of HIDES) document.body.classList.toggle(`hide-${name}`, hidden.includes(name));
  if (openedText()) select(linked.tab || (linked.run ? "train" : "prompt"));
  if (linked.live) setLive(true);
  let before = NAMES[0];
  let isBack = false;
  document.addEventListener("click", event => {
    // the button says which tab it opens: it may take Gradio a while to show it
    const now = NAMES[parseInt(event.target.closest?.(BUTTONS)?.textContent, 10) - 1];
    if (!now || now === before) return;
    before = now;
    if (isBack) keepPage({ tab: now });
    else visit({ tab: now, live: isLive() });
  });
  watchHistory(async (state, begin) => {
    const isOther = rest(whole()) !== rest(state);
    isBack = true;
    await select(state.tab || NAMES[0]);
    setLive(Boolean(state.live));
    setTimeout(() => (isBack = false), 50);
    if (!isOther) return;
    begin();
    restore();
  });
}
