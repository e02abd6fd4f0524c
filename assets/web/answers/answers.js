// Tab 4: the verdict, the scores, the table of held-out records and the chosen one, kept up to date by polling.
import { count } from "../numbers.js";
import { attrs, el, progress } from "../parts.js";
import { poll, teller } from "../poll.js";
import { Detail } from "./detail.js";
import { downloads } from "./downloads.js";
import { openTab } from "./open_tab.js";
import { chip } from "./pieces.js";
import { Rating } from "./rating.js";
import { Records } from "./records.js";
import { scoreTiles, verdictLine } from "./verdict.js";

const SIDES = { before: "Base model", after: "Fine-tuned model", judge: "Judge" };
const JUDGED = { before: "base answers judged", after: "fine-tuned answers judged", pairs: "pairs judged" };
const SOON = "Records appear here as they are answered.";

/** What is said while the records are answered, or why they are not. */
function busyLine({ total, done, side, state, judged }) {
  const what = side === "judge" ? JUDGED[judged] : "records answered";
  const text = total ? `${SIDES[side]}: ${count(done)} of ${count(total)} ${what}` : "Loading the models";
  const word = state === "stopped" ? chip("fill warn", "! Stopped") : chip("fill acc", "▶ Answering");
  return [word, el("p", "said", text), progress("Records answered", done, total || 1)];
}

function failed({ what, where, fix }) {
  const cautions = [[where, fix].filter(Boolean).join(" — ")].filter(Boolean);
  return verdictLine({ tone: "bad", title: "Failed", sentence: `${what}.`, basis: "", cautions });
}

const isBusy = ({ state }) => state === "running" || state === "starting";

class Answers {
  constructor(root, server, { changed, opened }) {
    Object.assign(this, { root, server, run: null, stamp: null });
    this.tell = teller(changed);
    this.scores = attrs(el("div", "scores"), { role: "group", "aria-label": "Scores, before and after" });
    this.empty = el("p", "empty");
    const ask = name => record => server[name]({ run: this.run, record });
    this.detail = new Detail({
      ask: { texts: ask("answers_record"), tokens: ask("answers_tokens") },
      step: by => this.records.step(by),
      openLens: record => {
        opened({ run: this.run, record });
        openTab(2);
      },
    });
    const rating = new Rating({
      load: () => server.answers_ratings({ run: this.run }),
      rate: query => server.answers_rate({ run: this.run, ...query }),
    });
    const files = downloads(query => server.answers_file({ run: this.run, ...query }));
    this.records = new Records({
      ask: query => server.answers_rows({ run: this.run, ...query }),
      choose: record => this.detail.show(record, this.records.place()),
      foot: el("span", "ends", rating.button, files),
    });
    this.two = el("div", "two", this.records.node, this.detail.node);
    root.append(this.scores, this.two, this.empty, rating.dialog);
    this.clear();
  }

  clear() {
    this.stamp = null;
    this.records.reset();
    for (const node of [this.scores, this.two]) node.hidden = true;
  }

  reset(run) {
    this.run = run;
    this.clear();
    this.draw({ state: "unknown" }, null);
  }

  take(reply) {
    const stamp = reply.stamp || null; // an unknown run has none
    if (stamp !== this.stamp) {
      this.stamp = stamp;
      this.refresh(reply);
    } else this.draw(reply, this.told);
    this.tell(reply);
  }

  async refresh(reply) {
    const { run, stamp } = this;
    const told = await this.server.answers_overview({ run }).catch(() => null);
    if (run !== this.run || stamp !== this.stamp) return;
    if (!told) this.stamp = null; // it is asked again
    this.told = told;
    this.draw(reply, told);
    if (told?.rows) this.records.refresh();
  }

  draw(reply, told) {
    const line = reply.error ? failed(reply.error) : isBusy(reply) || reply.state === "stopped" ? busyLine(reply) : [];
    const target = document.querySelector("#verdict .verdict-line");
    target?.replaceChildren(...(line.length ? line : verdictLine(told?.verdict)));
    const hasRows = Boolean(told?.rows);
    if (told !== this.drawn) this.scores.replaceChildren(...scoreTiles(told?.scores || []));
    this.drawn = told;
    this.scores.hidden = !told?.scores?.length;
    this.two.hidden = !hasRows;
    this.empty.hidden = hasRows;
    this.empty.textContent = isBusy(reply) ? SOON : told?.empty || told?.error?.what || "";
  }
}

/** The component. */
export function answers(element, props, watch, calls, server) {
  const one = new Answers(element.querySelector(".answers"), server, calls);
  poll(element, props, watch, {
    ask: query => server.poll_evaluation(query),
    reset: run => one.reset(run),
    take: reply => one.take(reply),
  });
}
