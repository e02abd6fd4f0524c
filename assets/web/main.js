// The page's components, by the names that the tabs call (playground/context.py, when_loaded).
import { editor } from "./editor.js";
import { evaluation } from "./evaluation.js";
import { lens } from "./lens/lens.js";
import { linkText, openLink } from "./link.js";
import { figure } from "./plot.js";
import { rest } from "./rest.js";
import { rows } from "./rows.js";
import { run } from "./run/run.js";
import { wireModes } from "./theme.js";

rest();
rows();

function header(element) {
  openLink();
  wireModes(element);
}

window.ift = { header, figure, run, evaluation, lens, editor, link: { text: linkText } };
