// Take the answers away: files that the server writes and the browser saves.
import { attrs, button, el } from "../parts.js";
import { closing } from "./ask_form.js";

const KINDS = [
  ["json", "JSON, as the book's scripts read it"],
  ["csv", "CSV"],
  ["markdown", "Markdown table"],
  ["html", "Report: one HTML page"],
];

function save({ name, text, type }) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = attrs(el("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** A menu of files; `ask`: with {kind}, gives {name, text, type} or {error}. */
export function downloads(ask) {
  const told = attrs(el("p", "muted"), { role: "status" });
  const get = async kind => {
    told.textContent = "Writing the file …";
    const file = await ask({ kind }).catch(() => null);
    told.textContent = file?.name ? `Saved ${file.name}` : file?.error?.what || "The server does not answer.";
    if (file?.name) save(file);
  };
  const acts = KINDS.map(([kind, text]) =>
    attrs(
      button(text, () => get(kind)),
      { "data-kind": kind },
    ),
  );
  const menu = el("details", "downloads", el("summary", "link", "Download"), el("div", "panel", ...acts, told));
  closing(menu);
  return menu;
}
