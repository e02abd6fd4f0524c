// Tab 3: a run while it goes on and after.
import { el } from "../parts.js";
import { poll, teller } from "../poll.js";
import { onTheme } from "../theme.js";
import { Chart } from "./chart.js";
import { append, fresh, nearest, sampledSteps } from "./record.js";
import { drawSamples } from "./samples.js";
import { drawStatus, drawTiles, statusCard } from "./status.js";

class RunView {
  constructor(element) {
    this.root = element.querySelector(".run");
    this.status = statusCard();
    this.tiles = el("div", "tiles");
    this.samples = el("div", "card");
    this.chart = new Chart(element, step => this.choose(nearest(this.record, step)));
    this.root.append(this.status, this.tiles, this.chart.card, this.samples);
    this.reset(null);
  }

  reset(run) {
    this.record = fresh(run);
    this.chart.reset(this.record);
    this.root.hidden = !run;
    this.status.replaceChildren();
    this.tiles.hidden = true;
    this.samples.hidden = true;
  }

  take(reply) {
    this.root.hidden = reply.state === "unknown";
    if (this.root.hidden) return;
    append(this.record, reply);
    if (reply.resumed !== null) this.goBack(reply.resumed);
    drawStatus(this.status, this.record, reply);
    if (reply.steps.length || reply.evaluations.length) {
      drawTiles(this.tiles, this.record);
      this.chart.draw();
    }
    if (reply.samples.length) this.drawSamples();
  }

  /** The run goes on from an earlier step: what is marked beyond it is not there any more. */
  goBack(step) {
    if (this.chart.chosen > step) this.chart.chosen = null;
    this.chart.listed = 0;
  }

  choose(step) {
    this.chart.chosen = step;
    this.chart.draw();
    this.drawSamples();
  }

  drawSamples() {
    const steps = sampledSteps(this.record);
    this.samples.hidden = !steps.length;
    if (!steps.length) return;
    drawSamples(this.samples, this.record, steps, this.chart.chosen ?? steps.at(-1), step => this.choose(step));
  }
}

/** The component. */
export function run(element, props, watch, changed, server) {
  const view = new RunView(element);
  const tell = teller(changed);
  poll(element, props, watch, {
    ask: query => server.poll_training(query),
    reset: id => view.reset(id),
    take: reply => {
      tell(reply);
      view.take(reply);
    },
  });
  onTheme(element, () => view.chart.draw());
}
