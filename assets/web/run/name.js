// The line above a run: its name, what decides it, a note; and the way back to the settings.
import { attrs, button, el } from "../parts.js";
import { showSetup } from "./view.js";

function field(name, box) {
  return el("label", "", el("span", "", name), box);
}

export class RunName {
  /** `named` is called with {run, title, note}. */
  constructor(named) {
    this.named = named;
    this.title = el("b");
    this.summary = el("span", "summary");
    const edit = attrs(el("button", "plain-btn", "Name and note"), { type: "button" });
    edit.onclick = () => this.ask();
    const change = attrs(el("button", "plain-btn", "Change"), { type: "button", id: "change" });
    change.onclick = showSetup;
    this.node = el("div", "setline", this.title, this.summary, el("span", "end", edit, change));
    this.dialog = this.#dialog();
    this.node.append(this.dialog);
  }

  draw({ run, about }) {
    this.run = run;
    this.about = about || {};
    const { title, note, summary = [] } = this.about;
    this.title.replaceChildren(...(title ? [title, " "] : []), el("span", "mono", run));
    this.summary.textContent = [...summary, note].filter(Boolean).join(" · ");
    this.summary.title = this.summary.textContent;
  }

  ask() {
    this.boxes.title.value = this.about.title || "";
    this.boxes.note.value = this.about.note || "";
    this.dialog.showModal();
  }

  #dialog() {
    this.boxes = {
      title: attrs(el("input"), { maxlength: 60 }),
      note: attrs(el("textarea"), { maxlength: 500, rows: 3 }),
    };
    const dialog = attrs(el("dialog", "ift name"), { "aria-label": "Name and note of the run" });
    const keep = button("Keep", () => {
      const [title, note] = [this.boxes.title.value.trim(), this.boxes.note.value.trim()];
      Object.assign(this.about, { title, note });
      this.draw({ run: this.run, about: this.about });
      this.named({ run: this.run, title, note });
      dialog.close();
    });
    const cancel = button("Cancel", () => dialog.close());
    dialog.append(el("h2", "", "Name and note of the run"), field("Name", this.boxes.title));
    dialog.append(field("Note", this.boxes.note), el("div", "end", keep, cancel));
    return dialog;
  }
}
