// What the page has of a run: grows by the server's answers. No DOM.
const MOST_TO_COME = 40; // squares
const RECENT = 20; // steps that the speed is taken from

/** Nothing yet. */
export const fresh = run => ({
  run,
  steps: [],
  evaluations: [],
  samples: {}, // step → answers
  warnings: [],
  end: "",
  machine: "",
  error: null,
  saved: "",
  about: null, // {title, note, summary, learning_rate, preset_rate}
});

/** Take in what is new. A run that was resumed does again what it did beyond its checkpoint. */
export function append(record, reply) {
  if (!reply.over) Object.assign(record, { end: "", error: null });
  if (reply.resumed !== null) goBack(record, reply.resumed);
  record.steps.push(...reply.steps);
  record.warnings.push(...reply.warnings);
  for (const one of reply.evaluations) {
    record.evaluations = [...record.evaluations.filter(e => e.step !== one.step), one];
  }
  for (const one of reply.samples) {
    const others = (record.samples[one.step] || []).filter(s => s.record !== one.record);
    record.samples[one.step] = [...others, one];
  }
  for (const name of ["end", "machine", "error", "saved", "about"]) record[name] = reply[name] || record[name];
}

function goBack(record, step) {
  record.steps = record.steps.filter(s => s.step <= step);
  record.evaluations = record.evaluations.filter(e => e.step <= step);
  for (const key of Object.keys(record.samples)) if (Number(key) > step) delete record.samples[key];
}

/** Tokens per second of the last steps. */
export function speed({ steps }) {
  const recent = steps.slice(-RECENT);
  const sum = name => recent.reduce((total, step) => total + step[name], 0);
  return sum("tokens") / sum("step_time_s");
}

/** {done, total} in steps; a total of 0 is not known yet. */
export function stepsDone({ steps, evaluations }) {
  const last = steps.at(-1);
  return { done: last?.step || 0, total: last?.total_steps || evaluations.at(-1)?.total_steps || 0 };
}

/** The steps that answers were sampled at, in order. */
export const sampledSteps = record =>
  Object.keys(record.samples)
    .map(Number)
    .sort((a, b) => a - b);

/** The sampled step next to a step; null where there is none. */
export function nearest(record, step) {
  const steps = sampledSteps(record);
  return steps.reduce((best, s) => (Math.abs(s - step) < Math.abs(best - step) ? s : best), steps[0] ?? null);
}

/** At each evaluation with answers, whether one prompt's was exact: {step, isRight}. */
export const answerHistory = (record, id) =>
  sampledSteps(record).map(step => {
    const answer = record.samples[step].find(sample => sample.record === id);
    return { step, isRight: answer?.model_response.trim() === answer?.output.trim() };
  });

/** Evaluations that are still to come, from the distance of those that were. */
export function evaluationsToCome(record) {
  const { done, total } = stepsDone(record);
  const steps = record.evaluations.map(one => one.step);
  const apart = steps.length > 1 ? steps[1] - steps[0] : 0;
  const at = Math.max(done, steps.at(-1) ?? 0);
  return apart && at < total ? Math.min(MOST_TO_COME, Math.ceil((total - at) / apart)) : 0;
}

/** How training goes wrong, or null: {first, last} of the validation loss where the last is above the first. */
export function risen({ evaluations, steps }) {
  const lost = steps.find(({ loss }) => !Number.isFinite(loss));
  if (evaluations.length < 2) return lost ? { first: Number.NaN, last: Number.NaN } : null;
  const [first, last] = [evaluations[0].loss, evaluations.at(-1).loss];
  return lost || !(last <= first) ? { first, last } : null;
}

/** Why, as far as the log shows it: the learning rate against the preset's, and the largest gradient. */
export function whyRisen({ about, steps }) {
  const times = about?.preset_rate ? about.learning_rate / about.preset_rate : 1;
  const norm = Math.max(0, ...steps.map(step => step.grad_norm).filter(Number.isFinite));
  const rate = times > 1.5 ? `The learning rate is ${Number(times.toPrecision(2))} times the preset’s. ` : "";
  return `${rate}${norm ? `The gradient norm reached ${Number(norm.toPrecision(2))}.` : ""}`.trim();
}

/** What there is to say beside the numbers: the first words while it loads, why it ended. */
export function remark(record, { state, said }) {
  const hasNothing = !record.evaluations.length && !record.steps.length;
  if (state === "starting" || (state === "running" && hasNothing)) {
    return ["Loading the model.", said.slice(-120)].filter(Boolean).join(" ");
  }
  return record.end;
}

/** Seconds that are left, or null where nobody can tell yet. */
export function secondsLeft({ steps }) {
  const [first, last] = [steps[0], steps.at(-1)];
  if (!last || last.step === first.step) return null;
  return ((last.time_s - first.time_s) / (last.step - first.step)) * (last.total_steps - last.step);
}
