// What the page shows, as text: in a link that others open, and in the browser's history, for a reload and Back.
//
//   view    what decides the grid (playground/lens/state.py), step, fold, pin      ┐
//   text    the template, as it is in the box now                                  │
//   train   the training settings that differ (playground/tabs/train.py)           ├ one object, base64url of its JSON
//   own     an upload that is in use (playground/uploads.py); not in a link        │
//   page    the tab, the run, whether the run or the settings are shown            ┘
import { decode, encode } from "./permalink.js";

/** What a class need not see. */
export const HIDES = ["editor", "switches", "code"];

const FLUSH_AFTER = 300; // milliseconds; browsers limit how often the history may be written
const SETTLED = 1500; // milliseconds in which what was restored has been drawn
const fragment = () => location.hash.match(/^#view=([\w-]+)$/)?.[1] || "";
const ownState = () => history.state?.ift;

/** What the page was opened with: of the history where it was here before, else a link's; empty where there is none. */
const opened = ownState() ?? fromLink();

/** What a link says, but for a data set: whoever made it must not have this machine fetch one. */
function fromLink() {
  const { own: _own, ...view } = decode(fragment());
  return view;
}

/** The same as text, for the server; empty where there is nothing to restore. */
export function openedText() {
  if (ownState()) return encode(ownState());
  return "own" in decode(fragment()) ? encode(fromLink()) : fragment(); // a damaged one the server tells
}

/** For those who restore a part of it themselves. */
export const linked = opened;

// What a tab that was not opened since would say is known from here.
function partsOf({ train = {}, own = "", tab = "data", run, live, ...view }) {
  return { view, text: {}, train, own, page: { tab, run, live } };
}

const parts = partsOf(opened);
const flushers = [];
let isRestoring = openedText() !== "";
let timer = 0;

/** Everything as one object. The view names the template that was drawn; the box may be further, or invalid. */
export function whole() {
  const { view, text, train, own, page } = parts;
  const { drawn, ...shown } = view;
  if (text.template !== undefined && text.template !== drawn) {
    delete shown.preset;
    Object.assign(shown, text);
  }
  return { ...shown, ...(Object.keys(train).length ? { train } : {}), ...(own ? { own } : {}), ...page };
}

/** From now on this is shown; `name`: of the part. `view.drawn`: the template that the view was drawn with. */
export function keep(name, part) {
  parts[name] = part;
  clearTimeout(timer);
  timer = setTimeout(flushed, FLUSH_AFTER);
}

/** What the server was asked to train: what of the view other tabs than the lens's can change, and the settings. */
export function keepSettings({ train, view, own }) {
  if (isRestoring) return;
  const { data: _data, mask: _mask, ...others } = parts.view;
  keep("view", { ...others, ...view });
  keep("train", train);
  keep("own", own);
}

/** Part of `page`: tab, run, live. */
export const keepPage = more => keep("page", { ...parts.page, ...more });

/** Write what is shown into the history, now; not while something is restored, which it would write over. */
export function flushed() {
  clearTimeout(timer);
  if (!isRestoring) history.replaceState({ ift: whole() }, "");
}

/** A step that Back undoes: `more` of the page; what is restored is none, but is shown from now on. */
export function visit(more) {
  if (isRestoring) {
    keepPage(more);
    return;
  }
  flushed();
  parts.page = { ...parts.page, ...more };
  history.pushState({ ift: whole() }, "");
}

/** `act` is called before the page goes. */
export const onFlush = act => flushers.push(act);

/** What was asked for is in the widgets; what they decide follows in a moment. */
export function restored() {
  setTimeout(() => {
    isRestoring = false;
    flushed();
  }, SETTLED);
}

/** A link to what is shown; `hide`: some of HIDES. */
export function makeLink(hide = []) {
  const { tab: _tab, live: _live, own: _own, ...view } = whole();
  const shared = hide.length ? { ...view, hide } : view;
  return `${location.origin}${location.pathname}#view=${encode(shared)}`;
}

/**
 * Begin: `restore` is called with a state when Back or Forward leads to it, and with what to call before the server is
 * asked for it.
 */
export function watchHistory(restore) {
  addEventListener("popstate", () => {
    if (ownState()) {
      restore(ownState(), () => {
        isRestoring = true;
        Object.assign(parts, partsOf(ownState()));
      });
    } else if (fragment()) {
      location.reload(); // a link that was put into the address
    }
  });
  const leave = () => {
    for (const act of flushers) act();
    flushed();
  };
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.hidden && leave());
}
