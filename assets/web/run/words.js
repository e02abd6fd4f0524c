// How an answer differs from what was expected, word by word. No DOM.

const LEAST_SHARED = 0.6; // of the words; what agrees less is another sentence, and is shown as it is

/** For each pair of positions, how much the rests of two lists have in common, in order. */
function sharedRests(a, b) {
  const best = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
  }
  return best;
}

/** The longest common subsequence of two lists, as pairs of positions. */
function common(a, b) {
  const best = sharedRests(a, b);
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (best[i + 1][j] >= best[i][j + 1]) i++;
    else j++;
  }
  return pairs;
}

/**
 * [kind, text] each: `same`, `missing` of what was expected, `added` of what was written.
 * Null where too little agrees for this to help.
 */
export function wordDifference(expected, written) {
  const [a, b] = [expected, written].map(text => text.split(/\s+/).filter(Boolean));
  const pairs = common(a, b);
  if (pairs.length < LEAST_SHARED * Math.max(a.length, b.length)) return null;
  const found = [];
  const add = (kind, words) => words.length && found.push([kind, words.join(" ")]);
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of [...pairs, [a.length, b.length]]) {
    add("missing", a.slice(i, nextI));
    add("added", b.slice(j, nextJ));
    const last = found.at(-1);
    const word = a.slice(nextI, nextI + 1);
    if (last?.[0] === "same" && word.length) last[1] += ` ${word[0]}`;
    else add("same", word);
    [i, j] = [nextI + 1, nextJ + 1];
  }
  return found;
}
