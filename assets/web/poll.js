// Pulls what is new about a run from the server; reload, second tab and tab switches lose nothing.
import { attrs, el } from "./parts.js";

const SOONEST = 500; // milliseconds between two questions
const LATEST = 4000;
const IDLE = 2000; // what is over is asked, too: who is busy?
const PACE = 100; // the run may have the same processor: our drawing takes one part in so many of the time

/** Milliseconds until the next question; `cost`: of drawing the last answer. */
export const pause = (over, cost) => (over ? IDLE : Math.min(LATEST, Math.max(SOONEST, PACE * cost)));

const SILENT = "The server does not answer: this is what it sent last. A run saves and stops when its server ends.";

class Poller {
  constructor(element, { ask, reset, take }) {
    Object.assign(this, { element, ask, reset, take, run: null, unanswered: 0, timer: 0 });
    this.start(null);
    this.gone = attrs(el("p", "msg warn", SILENT), { role: "status" });
    this.gone.hidden = true;
    element.prepend(el("div", "ift gone", this.gone));
  }

  /** From the beginning of a run's events. Whatever was asked before has another `turn`, and is not heard. */
  start(run) {
    Object.assign(this, { run, offset: 0, over: false, cost: 0, turn: {} });
  }

  async poll() {
    const { turn, run, offset } = this;
    try {
      const reply = await this.ask({ run, offset });
      if (!reply) throw new Error("Gradio gives nothing where a question failed");
      this.unanswered = 0;
      this.gone.hidden = true;
      if (turn === this.turn) this.accept(reply);
    } catch (error) {
      console.info("no answer from the server, asking again", error);
      this.unanswered += 1;
      this.cost = 0; // nothing was drawn: whether it is back is asked soon
      this.gone.hidden = this.unanswered < 2; // one may get lost
    }
  }

  accept(reply) {
    if (reply.offset < this.offset) {
      this.offset = 0; // the file was begun anew
      this.reset(this.run);
      return;
    }
    this.offset = reply.offset;
    this.over = reply.over;
    const began = performance.now();
    this.take(reply);
    this.cost = performance.now() - began;
  }

  async next() {
    if (!this.element.isConnected) return;
    clearTimeout(this.timer);
    const { turn } = this;
    if (!document.hidden) await this.poll();
    if (turn === this.turn) this.timer = setTimeout(() => this.next(), pause(this.over, this.cost));
  }

  follow(value) {
    if ((value.run || null) === this.run && value.again === undefined) return;
    this.start(value.run || null);
    this.reset(this.run);
    this.next();
  }
}

/** Ask about the run that the component's value names, as long as the component is there. */
export function poll(element, props, watch, handlers) {
  const poller = new Poller(element, handlers);
  const follow = () => poller.follow(props.value || {});
  follow();
  watch("value", follow);
  if (poller.run) return;
  poller.reset(null);
  poller.next(); // who is busy?
}

/** Python hears when a state or who is busy differs: every button on the page may depend on it. */
export function teller(changed) {
  let last = "";
  return reply => {
    const now = `${reply.run}|${reply.state}|${reply.busy}`;
    if (now === last) return;
    last = now;
    changed({ state: reply.state });
  };
}
