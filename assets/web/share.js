// The page as a link, with a choice of what it hides.
import { HIDES, makeLink } from "./link.js";
import { attrs, button, el } from "./parts.js";

const ABOUT = "It restores template, rows, switches, step, position, the training settings and the run.";

function shareDialog() {
  const status = attrs(el("span", "muted"), { role: "status" });
  const address = attrs(el("input"), { readonly: "", "aria-label": "The link" });
  const ticks = HIDES.map(name => attrs(el("input"), { type: "checkbox", name }));
  const show = () => {
    address.value = makeLink(ticks.filter(tick => tick.checked).map(tick => tick.name));
    status.textContent = "";
  };
  const copy = async () => {
    show();
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
      status.textContent = "Copied.";
    } catch {
      status.textContent = "Copy it from the box.";
    }
  };
  for (const tick of ticks) tick.onchange = show;
  const labels = ticks.map(tick => el("label", "", tick, ` without the ${tick.name}`));
  const dialog = attrs(el("dialog", "ift share"), { "aria-label": "Share this view" });
  const close = button("Close", () => dialog.close());
  dialog.append(el("h2", "", "Share this view"), el("p", "muted", ABOUT));
  dialog.append(el("p", "muted", "For a class, leave out what would distract:"), ...labels, address);
  dialog.append(el("div", "end", status, button("Copy the link", copy), close));
  return { dialog, show };
}

/** Connect the button of the page's head. */
export function wireShare(button) {
  const { dialog, show } = shareDialog();
  document.body.append(dialog);
  button.addEventListener("click", () => {
    show();
    dialog.showModal();
  });
}
