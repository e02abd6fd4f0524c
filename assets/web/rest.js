// Lets an idle page rest. Gradio 6.31 takes its sign of loading away while that one's clock runs, and the clock goes on
// asking for animation frames as long as the page is open: sixty a second, which cost a training on the same processor
// a tenth of its speed where frames are made without a GPU. The clock began before this script, so its request comes
// right before ours in every frame; where only one other was made between two of ours, it was the clock's.

/** Start to watch; `last` is the number of our own request before. */
export function rest(last = Number.NaN) {
  const mine = requestAnimationFrame(() => rest(mine));
  const others = mine - last - 1;
  if (others > 1 || Number.isNaN(others)) return;
  if (others === 1) cancelAnimationFrame(mine - 1);
  cancelAnimationFrame(mine);
}
