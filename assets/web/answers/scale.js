// One scale for losses and probabilities, in the table, the record and the chat. No DOM.
import { percent } from "../numbers.js";

const BOUNDS = [0.1, 1, 3, 6]; // nats
const TINY = 1e-9;

/** What the five colors mean, as losses and as probabilities. */
export const LOSSES = ["under 0.1", "0.1–1", "1–3", "3–6", "over 6"];
export const PROBABILITIES = ["over 90 %", "37–90 %", "5–37 %", "0.2–5 %", "under 0.2 %"];

/** The number of a loss's color, 0 to 4. */
export const lossColor = loss => BOUNDS.filter(bound => loss >= bound).length;

/** The same for a probability: that of a token whose loss it is. */
export const probabilityColor = share => lossColor(-Math.log(Math.max(share, TINY)));

/** A probability in words. */
export const shareText = share => (share < 0.0005 ? "<0.1 %" : percent(share));

/** The mean of losses as text; empty where there is none. */
export const meanText = losses => (losses.length ? (losses.reduce((a, b) => a + b, 0) / losses.length).toFixed(2) : "");
