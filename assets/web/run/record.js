// What the page has of a run: grows by the server's answers. No DOM.
import { duration } from "../numbers.js";

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
  for (const name of ["end", "machine", "error", "saved"]) record[name] = reply[name] || record[name];
}

function goBack(record, step) {
  record.steps = record.steps.filter(s => s.step <= step);
  record.evaluations = record.evaluations.filter(e => e.step <= step);
  for (const key of Object.keys(record.samples)) if (Number(key) > step) delete record.samples[key];
}

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

/** How the run goes, in sentences. */
export function sentences(record, reply) {
  const tail = [record.machine, record.saved && `Last saved: ${record.saved}.`, record.end];
  return [...timing(record, reply), ...tail].filter(Boolean);
}

function timing(record, { state, said }) {
  const last = record.steps.at(-1);
  const hasNothing = !record.evaluations.length && !last;
  if (state === "starting" || (state === "running" && hasNothing)) return ["Loading the model.", said.slice(-120)];
  if (!last) return [];
  if (state !== "running") return [`${duration(last.time_s)} of training.`];
  return [remaining(record, last), `${duration(last.time_s)} so far.`, `Epoch ${last.epoch.toFixed(2)}.`];
}

function remaining({ steps }, last) {
  const first = steps[0];
  if (last.step === first.step) return "";
  const perStep = (last.time_s - first.time_s) / (last.step - first.step);
  return `About ${duration(perStep * (last.total_steps - last.step))} left.`;
}
