// Tab 5: twins, the queue, and runs side by side. Everything is pulled, so that a reload and a restart lose nothing.
import { attrs, button, el, fill } from "../parts.js";
import { replay } from "../replay/replay.js";
import { action } from "./action.js";
import { card, FILTERS } from "./cards.js";
import { LETTERS } from "./charts.js";
import { comparison } from "./comparison.js";
import { leaderboard } from "./leaderboard.js";

const PAUSE = 2000; // milliseconds between two looks
const MOST = 6;
const RECORDINGS = { starter: "the starter, fine-tuned", "starter-eos-masked": "the same, its end-of-text masked" };

class Experiments {
  constructor(root, server) {
    Object.assign(this, { server, filter: "all", chosen: [], revealed: new Set(), board: null, drawn: "" });
    this.message = attrs(el("div"), { role: "status" });
    this.filters = attrs(el("div", "row"), { role: "group", "aria-label": "Experiments shown" });
    this.cards = el("div", "twins");
    this.queue = el("div");
    this.pick = el("div", "row");
    this.result = el("div", "comparison col");
    this.player = el("div");
    this.leaders = el("div");
    root.append(
      el("h2", "", "Twins: the same run, one difference"),
      el(
        "p",
        "muted",
        "Guess first, then look: what does one change do? Each pair has the same seed and the same records.",
      ),
      this.filters,
      this.message,
      this.cards,
      this.queue,
      this.recordings(),
      el("h2", "", "Runs side by side"),
      this.pick,
      this.result,
      this.leaders,
    );
  }

  recordings() {
    const names = Object.entries(RECORDINGS);
    const buttons = names.map(([name, title]) =>
      action(`▶ ${title}`, `Play the recording of ${title}`, () => this.play(name)),
    );
    const text = "Recorded runs, to be shown without training:";
    return el("section", "", el("h2", "", "Replay"), el("div", "row", el("span", "", text), ...buttons), this.player);
  }

  async play(name) {
    const { recording } = await this.server.recorded({ name });
    if (!recording) return;
    this.player.className = "replay card";
    replay(this.player, JSON.parse(recording)).toggle();
    this.player.querySelector("button").focus();
  }

  async ask(question, query) {
    const reply = await this.server[question](query);
    if (!reply) return null;
    this.message.replaceChildren(...(reply.error ? [problem(reply.error)] : []));
    return reply.error ? null : reply;
  }

  async look() {
    const reply = await this.server.poll_experiments({});
    if (reply && !reply.error) this.take(reply);
  }

  take(board) {
    const text = JSON.stringify([board, this.filter, this.chosen, [...this.revealed]]);
    this.board = board;
    if (text === this.drawn) return;
    this.drawn = text;
    this.draw();
  }

  draw() {
    const focus = document.activeElement?.getAttribute?.("aria-label");
    this.drawFilters();
    const shown = this.board.cards.filter(FILTERS[this.filter]);
    fill(
      this.cards,
      shown.map(one => card(one, this, !this.revealed.has(one.name) && !one.here.length)),
    );
    this.drawQueue();
    this.drawPick();
    this.drawLeaders();
    if (focus) this.cards.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus();
  }

  drawFilters() {
    const nodes = Object.entries(FILTERS).map(([name, test]) => {
      const node = button(`${name} ${this.board.cards.filter(test).length}`, () => {
        this.filter = name;
        this.take(this.board);
      });
      return attrs(node, { "aria-pressed": name === this.filter, "aria-label": `Show ${name}` });
    });
    fill(this.filters, nodes);
  }

  drawQueue() {
    const rows = this.board.queue.map(({ run, what, place }) => {
      const text = `${place + 1}. ${run}: ${what.twin || "training"}, ${what.side || ""} `;
      const leave = action("Take out", `Take ${run} out of the queue`, async () => {
        const reply = await this.ask("leave_queue", { run });
        if (reply) this.take(reply);
      });
      return el("li", "", text, leave);
    });
    fill(this.queue, rows.length ? [el("h2", "", "Queue, one at a time"), el("ul", "queue", ...rows)] : []);
  }

  drawLeaders() {
    const boards = this.board.leaderboards.map(leaderboard);
    fill(this.leaders, boards.length ? [el("h2", "", "Leaderboard"), ...boards] : []);
  }

  drawPick() {
    const runs = this.board.runs;
    const selects = [0, 1, 2, 3, 4, 5].slice(0, Math.min(MOST, Math.max(2, this.chosen.length + 1))).map(number => {
      const options = runs.map(run => {
        const text = `${run.id} · ${run.about} · ${run.state}${run.scored ? "" : ", not scored"}`;
        const option = attrs(el("option", "", text), { value: run.id });
        option.disabled = run.state === "damaged";
        return option;
      });
      const select = attrs(el("select", "", attrs(el("option", "", "choose a run"), { value: "" }), ...options), {
        "aria-label": `Run ${LETTERS[number]}`,
      });
      select.value = this.chosen[number] || "";
      select.onchange = () => this.choose(number, select.value);
      return el("label", "row", LETTERS[number], select);
    });
    const can = this.chosen.filter(Boolean).length >= 2;
    const go = button("Compare", () => this.compare(this.chosen.filter(Boolean)));
    go.disabled = !can;
    const swap = button("Swap A and B", () => this.compare([this.chosen[1], this.chosen[0], ...this.chosen.slice(2)]));
    swap.disabled = !can;
    fill(this.pick, [...selects, go, swap]);
  }

  choose(number, run) {
    this.chosen[number] = run;
    this.chosen = this.chosen.filter(Boolean);
    this.take(this.board);
  }

  reveal(name) {
    this.revealed.add(name);
    this.take(this.board);
  }

  async begin(one) {
    const reply = await this.ask("begin_experiment", { twin: one.name, pairs: 1 });
    if (reply) this.take(reply);
  }

  /** twin: whose runs they are; empty where they were chosen by hand. */
  async compare(runs, twin = "") {
    this.chosen = [...runs];
    this.take(this.board);
    const made = await this.ask("compare_experiments", { runs, twin });
    if (!made) return;
    this.result.replaceChildren(...comparison(made));
    this.pick.scrollIntoView({ block: "start" });
  }
}

function problem({ what, where, fix }) {
  return el("div", "msg", el("h3", "", what), el("p", "muted", [where, fix].filter(Boolean).join(" — ")));
}

/** The component. */
export function experiments(element, server) {
  const view = new Experiments(element.querySelector(".experiments"), server);
  const next = async () => {
    if (!element.isConnected) return;
    if (!document.hidden && element.offsetParent !== null) await view.look().catch(() => {});
    setTimeout(next, PAUSE);
  };
  next();
}
