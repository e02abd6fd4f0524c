// The view as text for an address: base64url of JSON, which the server checks (playground/lens/state.py). No DOM.

// what the page itself restores; the rest comes back from the server
const OWN = ["step", "fold", "labels", "pin", "hide", "train", "own", "tab", "run", "live"];

/** The text of a view. */
export function encode(view) {
  const bytes = new TextEncoder().encode(JSON.stringify(view));
  const text = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The view of a text; empty where it is none: the server says what is wrong with it. */
export function decode(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0));
    const view = JSON.parse(new TextDecoder().decode(bytes));
    return view && typeof view === "object" ? view : {};
  } catch {
    return {};
  }
}

/** Whether the server draws what a link asks for; `found`: what it draws, `view`: the link's. */
export const isRestored = (found, view) =>
  Object.keys({ ...found, ...view }).every(name => OWN.includes(name) || found[name] === view[name]);
