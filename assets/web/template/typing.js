// Each key in the template asks the server for the batch anew, by itself: Gradio's own events would first read the
// state of every widget. What decides the batch beside the template the server knows by the stamp of the last one.
import { attrs, el, until } from "../parts.js";

const SETTLED = 100; // milliseconds in which a text that came with a batch is in the box
const BOX = "#template textarea";

/** Where a text's line and column are, from its start on. */
export function offsetOf(text, line, column) {
  const before = text.split("\n").slice(0, line - 1);
  return before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
}

/** A message's “line 2, column 4” becomes a button that goes there. */
function linkToPlace(entry) {
  const found = entry.textContent.match(/^line (\d+), column (\d+)$/);
  if (!found) return;
  const go = attrs(el("button", "link-btn", entry.textContent), { type: "button" });
  go.onclick = () => {
    const box = document.querySelector(BOX);
    const start = offsetOf(box.value, Number(found[1]), Number(found[2]));
    const tag = box.value.slice(start).match(/^\{\{[^}\n]*\}\}/);
    box.focus();
    box.setSelectionRange(start, start + (tag ? tag[0].length : 1));
  };
  entry.replaceChildren(go);
}

export class Typing {
  /**
   * events.lost: the server does not know the batch any more. events.renamed: the template has become, or is no longer,
   * a preset. take: a new value for the grid.
   */
  constructor(server, events, take) {
    Object.assign(this, { server, events, take, stamp: null, preset: null, message: "" });
    this.isBusy = false;
    this.isBehind = false; // something has changed since the server was asked
    const key = event => {
      if (!document.querySelector("#lens")) removeEventListener("input", key);
      else if (event.target.matches?.(BOX)) this.ask(event.target);
    };
    addEventListener("input", key);
  }

  /** A value that came by one of Gradio's events; a key that came while it was under way is not in it. */
  accept(value) {
    this.note(value);
    setTimeout(() => {
      const box = document.querySelector(BOX);
      if (box && value.stamp === this.stamp && box.value !== value.template) this.ask(box);
    }, SETTLED);
  }

  async ask(box) {
    this.isBehind = this.isBusy;
    if (this.isBusy) return;
    this.isBusy = true;
    const { stamp } = this;
    const value = await this.fetch(stamp, box.value);
    this.isBusy = false;
    if (stamp !== this.stamp) {
      this.isBehind = true; // the switches have changed meanwhile
    } else if (!value) {
      this.events.lost(); // all is drawn by Gradio, which also says when the server is gone
    } else {
      this.note(value);
      this.take(value);
    }
    if (this.isBehind) this.ask(box);
  }

  async fetch(stamp, template) {
    if (!stamp) return null;
    try {
      return await this.server.lens_typed({ stamp, template });
    } catch (error) {
      console.info("no answer from the server", error);
      return null;
    }
  }

  note({ message, stamp, preset }) {
    this.say(message);
    if (!stamp) return; // a file that could not be read: only its message is new
    this.stamp = stamp;
    if (preset === this.preset) return;
    this.preset = preset;
    this.events.renamed();
  }

  async say(html) {
    this.message = html;
    const place = await until(() => document.querySelector("#template-message .said"));
    if (this.message !== html || place.text === html) return;
    place.text = html;
    place.innerHTML = html; // escaped by the server (playground/views/html.py)
    for (const entry of place.querySelectorAll("dd")) linkToPlace(entry);
  }
}
