// Tab 4: how far the held-out records are answered.
import { count } from "./numbers.js";
import { el, progress } from "./parts.js";
import { poll, teller } from "./poll.js";

function busy({ total, done, side }) {
  const text = total ? `“${side}”: ${count(done)} of ${count(total)} records` : "Loading the models";
  const row = el("div", "row", el("span", "chip acc", "▶ busy"), el("b", "", text));
  return [row, progress("Records answered", done, total)];
}

function stopped() {
  const chip = el("span", "chip warn", "! stopped");
  return el("p", "", chip, " The answers were not collected to the end. Start again.");
}

function failed({ what, where, fix }) {
  return el("div", "msg", el("h3", "", what), el("p", "muted", [where, fix].filter(Boolean).join(" — ")));
}

/** The component. */
export function evaluation(element, props, watch, changed, server) {
  const root = element.querySelector(".evaluation");
  const tell = teller(changed);
  poll(element, props, watch, {
    ask: query => server.poll_evaluation(query),
    reset: () => root.replaceChildren(),
    take: reply => {
      const rows = reply.state === "running" || reply.state === "starting" ? busy(reply) : [];
      if (reply.state === "stopped") rows.push(stopped());
      if (reply.error) rows.push(failed(reply.error));
      root.replaceChildren(...rows);
      tell(reply);
    },
  });
}
