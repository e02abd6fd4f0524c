// The page's components, by the names that the tabs call (playground/context.py, when_loaded).
import { answerOptions } from "./answers/answer_options.js";
import { answers } from "./answers/answers.js";
import { askElsewhere, chat } from "./answers/chat.js";
import { experiments } from "./experiments/experiments.js";
import { lens } from "./lens/lens.js";
import { lesson } from "./lesson.js";
import { keepSettings, openedText, restored } from "./link.js";
import { el, until } from "./parts.js";
import { figure } from "./plot.js";
import { wireRail } from "./rail.js";
import { rest } from "./rest.js";
import { rows } from "./rows.js";
import { runList } from "./run/list.js";
import { run } from "./run/run.js";
import { wireShare } from "./share.js";
import { wireTabs } from "./tabs.js";
import { editor } from "./template/editor.js";
import { wireModes } from "./theme.js";

rest();
rows();

/** The component that holds what differs from the defaults of data, mask and training settings, as a link has it. */
function settings(props, watch) {
  watch("value", () => keepSettings(props.value));
}

/** Long names of options break after an underscore. */
async function breakNames() {
  const find = () => document.querySelectorAll("#hyper :is([data-testid=block-info], .label-text)");
  for (const label of await until(() => find().length && [...find()])) {
    let rest = [...label.childNodes].find(node => node.nodeType === Node.TEXT_NODE && node.data.includes("_"));
    while (rest?.data.includes("_")) {
      rest = rest.splitText(rest.data.indexOf("_") + 1);
      rest.before(el("wbr"));
    }
  }
}

/** events.restore: the server is asked for what Back leads to. */
function header(element, events) {
  wireTabs(events.restore);
  wireModes(element);
  wireShare(element.querySelector("#share"));
  wireRail();
}

window.ift = {
  header,
  figure,
  run: (...component) => {
    breakNames(); // of the form beside it
    return run(...component);
  },
  answers,
  answerOptions,
  chat,
  ask: askElsewhere,
  runs: runList,
  lens,
  editor,
  experiments,
  lesson,
  link: { text: openedText, restored },
  settings,
};
