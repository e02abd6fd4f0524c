// A button whose name tells what it is about, also where several have the same text.
import { attrs, button } from "../parts.js";

/** Shown as `text`, read as `name`. */
export const action = (text, name, act) => attrs(button(text, act), { "aria-label": name });
