// A recorded run, played again at any speed. It imports nothing: an exported page holds this file as it is.

const SPEEDS = [1, 10, 60, 300];
const PLAYS_S = 30; // about how long a first play may take
const SHOWN = 50; // held-out records at a time
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [720, 300, 52, 34];
const FINISHES = { eos: "stopped by itself", stop: "ended as the template does", length: "! cut, it did not stop" };
const FILTERS = {
  all: () => true,
  "right now": row => row.after.right === 1,
  "wrong now": row => row.after.right !== 1,
  "never stops": row => row.after.finish === "length",
};

function el(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function svg(tag, values, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(values)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function button(text, act) {
  const node = el("button", "ift-btn", text);
  node.type = "button";
  node.onclick = act;
  return node;
}

function table(caption, heads, rows) {
  const head = el("tr", "", ...heads.map(text => Object.assign(el("th", "", text), { scope: "col" })));
  const box = el(
    "div",
    "scroll",
    el("table", "", el("caption", "", caption), el("thead", "", head), el("tbody", "", ...rows)),
  );
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", caption);
  return box;
}

const cell = (...children) => el("td", "", ...children);
const clock = s => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

/** Exponential mean, without the pull to its start. */
export function smooth(values, weight = 0.9) {
  let mean = 0;
  let total = 0;
  return values.map(value => {
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + 1 - weight;
    return mean / total;
  });
}

/** What of a recording has happened after so many seconds. */
export function at(recording, seconds) {
  const has = ([, time]) => time <= seconds;
  const steps = recording.steps.filter(has).length;
  const evaluations = recording.evaluations.filter(has);
  return { steps, step: steps ? recording.steps[steps - 1][0] : 0, evaluation: evaluations.at(-1) };
}

/** Where losses are on the picture: a logarithmic scale from the lowest to the highest. */
export function scales(recording) {
  const losses = [...recording.steps, ...recording.evaluations].map(point => Math.log(Math.max(point[2], 1e-4)));
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const last = recording.steps.at(-1)?.[0] || 1;
  return {
    x: step => LEFT + ((WIDTH - LEFT - 12) * step) / last,
    y: loss => 10 + ((HEIGHT - BOTTOM - 10) * (high - Math.log(Math.max(loss, 1e-4)))) / (high - low || 1),
    ticks: [0.001, 0.01, 0.03, 0.1, 0.3, 1, 3, 10].filter(tick => Math.log(tick) >= low && Math.log(tick) <= high),
    last,
  };
}

class Curve {
  constructor(recording) {
    this.recording = recording;
    this.scale = scales(recording);
    const { x, y } = this.scale;
    this.window = svg("rect", { x: 0, y: 0, width: 0, height: HEIGHT });
    this.now = svg("line", { class: "now", y1: 10, y2: HEIGHT - BOTTOM });
    const id = `seen-${Math.random().toString(36).slice(2)}`;
    const raw = recording.steps.map(([step, , loss]) => `${x(step)},${y(loss)}`).join(" ");
    const means = smooth(recording.steps.map(([, , loss]) => loss));
    const mean = recording.steps.map(([step], i) => `${x(step)},${y(means[i])}`).join(" ");
    const evaluated = recording.evaluations.map(([step, , loss]) => `${x(step)},${y(loss)}`);
    const dots = evaluated.map(point => {
      const [cx, cy] = point.split(",");
      return svg("circle", { class: "dot", cx, cy, r: 4 });
    });
    const seen = svg("g", { "clip-path": `url(#${id})` });
    seen.append(
      svg("polyline", { class: "raw", points: raw }),
      svg("polyline", { class: "mean", points: mean }),
      svg("polyline", { class: "validation", points: evaluated.join(" ") }),
      ...dots,
    );
    const text = "Training and validation loss by step; the values are in the table below";
    this.node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": text });
    this.node.append(svg("clipPath", { id }, this.window), ...this.axes(), seen, this.now);
  }

  axes() {
    const { x, y, ticks, last } = this.scale;
    const label = (text, values) => svg("text", values, text);
    const lines = ticks.flatMap(tick => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - 12, y1: y(tick), y2: y(tick) }),
      label(String(tick), { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }),
    ]);
    const steps = [0, 0.25, 0.5, 0.75, 1].map(part => Math.round(part * last));
    const marks = steps.map(step => label(String(step), { x: x(step), y: HEIGHT - 12, "text-anchor": "middle" }));
    return [...lines, ...marks];
  }

  show(step) {
    const x = this.scale.x(step);
    this.window.setAttribute("width", x + 5);
    this.now.setAttribute("x1", x);
    this.now.setAttribute("x2", x);
  }
}

function sampleRow(prompt, sample) {
  const isRight = sample.text.trim() === prompt.output.trim();
  const chip = el("span", `chip ${isRight ? "good" : "bad"}`, isRight ? "✓ exact" : "✗ other");
  const ends = el("small", "", FINISHES[sample.finish]);
  const asked = cell(el("b", "", prompt.instruction), ...(prompt.input ? [el("br"), prompt.input] : []));
  return el("tr", "", asked, cell(prompt.output), cell(chip, " ", sample.text.trim(), el("br"), ends));
}

function answerRow({ instruction, input, output, before, after }) {
  const said = side => cell(side.text.trim(), el("br"), el("small", "", FINISHES[side.finish]));
  const mark = after.right === 1 ? el("span", "chip good", "✓ right") : el("span", "chip bad", "✗ wrong");
  const asked = cell(el("b", "", instruction), ...(input ? [el("br"), input] : []));
  return el("tr", "", cell(mark), asked, cell(output), said(before), said(after));
}

class Player {
  constructor(root, recording) {
    Object.assign(this, { recording, seconds: 0, frame: 0, filter: "all", shown: SHOWN, evaluation: null });
    this.end = Math.max(...[...recording.steps, ...recording.evaluations].map(([, time]) => time));
    this.speed = SPEEDS.find(speed => this.end / speed <= PLAYS_S) || SPEEDS.at(-1);
    this.curve = new Curve(recording);
    this.samples = el("div");
    this.answers = el("div");
    this.status = el("p", "status");
    root.replaceChildren(
      el("h2", "", recording.title),
      el("p", "", recording.about),
      this.controls(),
      this.status,
      el(
        "div",
        "legend",
        el("i", "raw"),
        "training, each step ",
        el("i", "mean"),
        "smoothed ",
        el("i", "validation"),
        "validation",
      ),
      this.curve.node,
      this.values(),
      this.samples,
      this.answers,
    );
    this.show();
    this.drawAnswers();
  }

  controls() {
    this.play = button("▶ Play", () => this.toggle());
    this.slider = Object.assign(el("input"), { type: "range", min: 0, max: this.curve.scale.last, value: 0 });
    this.slider.setAttribute("aria-label", "Step");
    this.slider.oninput = () => {
      this.pause();
      this.seconds = this.timeOf(Number(this.slider.value));
      this.show();
    };
    const choices = SPEEDS.map(speed => Object.assign(el("option", "", `${speed} times`), { value: speed }));
    const select = el("select", "", ...choices);
    select.value = this.speed;
    select.onchange = () => {
      this.speed = Number(select.value);
    };
    const end = button("To the end", () => {
      this.pause();
      this.seconds = this.end;
      this.show();
    });
    return el("div", "controls", this.play, end, el("label", "", "Speed ", select), this.slider);
  }

  timeOf(step) {
    return step ? (this.recording.steps.find(one => one[0] >= step) || this.recording.steps.at(-1))[1] : 0;
  }

  toggle() {
    if (this.frame) return this.pause();
    if (this.seconds >= this.end) this.seconds = 0;
    this.play.textContent = "⏸ Pause";
    let last = performance.now();
    const tick = now => {
      this.seconds = Math.min(this.end, this.seconds + ((now - last) / 1000) * this.speed);
      last = now;
      this.show();
      if (this.seconds < this.end && this.play.isConnected) this.frame = requestAnimationFrame(tick);
      else this.pause();
    };
    this.frame = requestAnimationFrame(tick);
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.play.textContent = "▶ Play";
  }

  show() {
    const { step, steps, evaluation } = at(this.recording, this.seconds);
    this.curve.show(step);
    this.slider.value = step;
    const loss = steps ? `, training loss ${this.recording.steps[steps - 1][2].toPrecision(3)}` : "";
    const validation = evaluation ? `, validation ${evaluation[2].toPrecision(3)} nats per token` : "";
    const where = `Step ${step} of ${this.curve.scale.last} after ${clock(this.seconds)}`;
    this.status.textContent = `${where}${loss}${validation}`;
    const isOver = this.seconds >= this.end;
    this.answers.hidden = !isOver || !this.recording.answers.length;
    if (evaluation?.[0] !== this.evaluation) this.drawSamples(evaluation);
    this.evaluation = evaluation?.[0];
  }

  drawSamples(evaluation) {
    const found = evaluation ? this.recording.samples.filter(sample => sample.step === evaluation[0]) : [];
    const rows = found.map(sample => sampleRow(this.recording.prompts[sample.record], sample));
    const title = `What the model says at step ${evaluation?.[0] ?? 0}`;
    this.samples.replaceChildren(table(title, ["Prompt", "Expected", "Answer"], rows));
  }

  drawAnswers() {
    const { answers, scores } = this.recording;
    const rows = answers.filter(FILTERS[this.filter]);
    const means = scores.map(({ title, before, after }) => el("li", "", el("b", "", title), ` ${before} → ${after}`));
    const filters = Object.keys(FILTERS).map(name => {
      const count = answers.filter(FILTERS[name]).length;
      const choose = () => {
        Object.assign(this, { filter: name, shown: SHOWN });
        this.drawAnswers();
        this.answers.querySelector("[aria-pressed=true]").focus();
      };
      const node = button(`${name} ${count}`, choose);
      node.setAttribute("aria-pressed", name === this.filter);
      return node;
    });
    const heads = ["Now", "Prompt", "Expected", "Before", "After"];
    const shown = table("Held-out records, before and after", heads, rows.slice(0, this.shown).map(answerRow));
    const more = rows.length > this.shown ? [this.more(rows.length)] : [];
    const title = el("h3", "", "What it learned");
    this.answers.replaceChildren(title, el("ul", "means", ...means), el("div", "controls", ...filters), shown, ...more);
  }

  more(count) {
    return button(`Show all ${count}`, () => {
      this.shown = count;
      this.drawAnswers();
    });
  }

  values() {
    const row = ([step, , loss]) => el("tr", "", cell(String(step)), cell(loss.toPrecision(4)));
    const rows = this.recording.evaluations.map(row);
    return el(
      "details",
      "",
      el("summary", "", "Values as a table"),
      table("Evaluations", ["Step", "Validation loss"], rows),
    );
  }
}

/** Show a recording in `root`. */
export const replay = (root, recording) => new Player(root, recording);
