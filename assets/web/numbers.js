// Numbers as people read them.

export const percent = share => `${(100 * share).toFixed(1)} %`;

export const count = n => n.toLocaleString("en");

/** Seconds in words. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} seconds`;
  return s < 5400 ? `${Math.round(s / 60)} minutes` : `${(s / 3600).toFixed(1)} hours`;
}

/** A learning rate: tiny ones as powers of ten. */
export const rate = value => (value < 1e-4 ? value.toExponential(1) : value.toPrecision(2));
