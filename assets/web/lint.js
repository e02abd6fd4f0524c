// The linter: asks the server for more rows on each pause, until all were looked at; a row's button shows it in the grid.
window.ift.lint = server => {
  const { el, attrs } = window.ift.parts;
  const PAUSE = 800; // milliseconds without a redraw
  const card = attrs(el('div', 'lint'), { 'aria-live': 'off' });
  let text = '', stamp = 0, timer = 0, complete = false;
  async function ask(wanted) {
    const reply = await server.lens_lint({ stamp: wanted }).catch(error => { console.info('the linter does not answer', error); return null; });
    if (wanted !== stamp || !reply || reply.error) return;
    card.innerHTML = reply.html; // every text in it was escaped by the server (playground/views/html.py)
    complete = reply.complete;
    card.dataset.complete = complete;
    if (!complete) ask(wanted);
  }
  const fill = (selector, value) => { // as a visitor would
    const box = document.querySelector(selector);
    if (!box || box.value === String(value)) return;
    box.value = value;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    box.dispatchEvent(new Event('change', { bubbles: true }));
  };
  const show = event => { // a row's button, here or among the numbers over the whole data set
    if (!card.isConnected) { removeEventListener('click', show); return; }
    const row = event.target.closest('button.link[data-row]')?.dataset.row;
    if (row === undefined) return;
    document.querySelector('#order input')?.click(); // the file's order, the first choice
    fill('#find textarea', '');
    fill('#first input', row);
    document.querySelector('#lens').scrollIntoView({ block: 'start' });
  };
  addEventListener('click', show);
  return {
    card,
    take(view) {
      stamp = view.stamp;
      clearTimeout(timer);
      if (view.text === text && complete) return;
      if (view.text !== text) complete = false;
      text = view.text;
      timer = setTimeout(() => ask(view.stamp), PAUSE);
    },
  };
};
