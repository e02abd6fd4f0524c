// The page's components, by the names that the tabs call (playground/context.py, when_loaded).
import { answerOptions } from "./answers/answer_options.js";
import { answers } from "./answers/answers.js";
import { askElsewhere, chat } from "./answers/chat.js";
import { editor } from "./editor.js";
import { experiments } from "./experiments/experiments.js";
import { lens } from "./lens/lens.js";
import { lesson } from "./lesson.js";
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

window.ift = {
  header,
  figure,
  run,
  answers,
  answerOptions,
  chat,
  ask: askElsewhere,
  lens,
  editor,
  experiments,
  lesson,
  link: { text: linkText },
};
