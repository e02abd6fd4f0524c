// Loss on the grid: what the models make of the very batch that is shown, before and after fine-tuning.
window.ift.xray = (server, redraw) => {
  const { el, attrs, percent } = window.ift.parts;
  const SHADES = { role: 'role', before: 'loss before', after: 'loss after', difference: 'difference' };
  const FULL = 6; // nats at which the colour is strongest
  let shade = 'role', found = null, sides = {}, pin = null, stamp = 0, timer = 0;

  const bar = attrs(el('div', 'row shades'), { role: 'group', 'aria-label': 'What colours the targets' });
  const said = attrs(el('span', 'muted'), { role: 'status' }), lists = el('div', 'tops'), card = el('div', 'card', el('h2', '', 'What the model would write here'), lists);
  card.hidden = true;
  bar.append(el('span', 'muted', 'Colour targets by'));
  const buttons = Object.fromEntries(Object.entries(SHADES).map(([name, text]) => {
    const b = el('button', 'ift-btn', text);
    b.type = 'button';
    b.onclick = () => { shade = name; show(); ask(); redraw(); };
    bar.append(b);
    return [name, b];
  }));
  bar.append(said);
  function show() {
    for (const [name, b] of Object.entries(buttons)) {
      b.setAttribute('aria-pressed', name === shade);
      b.disabled = name !== 'role' && name !== 'before' && !sides.after;
      b.title = b.disabled ? 'Needs a run: fine-tune first, or choose a run on tab 3.' : '';
    }
    card.hidden = shade === 'role';
  }
  function ask() { // once typing pauses; an answer about an older batch is not shown
    clearTimeout(timer);
    if (shade === 'role' || found?.stamp === stamp) { said.textContent = ''; tops(); return; }
    timer = setTimeout(async () => {
      const wanted = stamp;
      said.textContent = 'The model reads the batch …';
      const reply = await server.lens_losses({ stamp: wanted }).catch(error => ({ error: { what: 'The server does not answer', where: '', fix: String(error) } }));
      if (stamp !== wanted) return;
      found = reply.error ? null : { stamp: wanted, losses: reply };
      said.textContent = reply.error ? `${reply.error.what}. ${reply.error.fix}` : `0 to ${FULL} nats and more, of ${Object.values(sides).join(' and ')}`;
      redraw();
      tops();
    }, 200);
  }
  function of(row, t) { // {value, share of the full colour, text}, or null
    if (shade === 'role' || found?.stamp !== stamp) return null;
    const at = side => found.losses[side]?.[row]?.[t];
    const value = shade === 'difference' ? at('after') - at('before') : at(shade);
    if (value === undefined || value === null || Number.isNaN(value)) return null;
    const text = shade === 'difference' ? (value > 0 ? '+' : '−') + Math.abs(value).toFixed(2) : value.toFixed(2);
    return { text, share: Math.min(1, Math.abs(value) / FULL), kind: shade !== 'difference' ? 'hot' : value > 0 ? 'hot' : 'cool' };
  }
  let topTimer = 0;
  function tops() {
    clearTimeout(topTimer);
    if (shade === 'role' || !pin) { lists.replaceChildren(); return; }
    topTimer = setTimeout(async () => {
      const [wanted, place] = [stamp, pin];
      const reply = await server.lens_top({ stamp: wanted, row: place.row, t: place.t }).catch(() => ({}));
      if (wanted !== stamp || place !== pin || reply.error) return;
      lists.replaceChildren(...Object.entries(reply).map(([side, best]) => {
        const list = el('ol', '');
        for (const [id, piece, share] of best) {
          const fill = el('i');
          fill.style.width = percent(share).replace(' ', '');
          list.append(el('li', id === place.next ? 'hit' : '', el('code', '', piece), el('span', 'share', fill), el('span', 'n', percent(share)), id === place.next ? el('span', 'chip good', '✓ the target') : ''));
        }
        return el('div', '', el('b', '', side), list);
      }));
      if (!lists.children.length) lists.append(el('p', 'muted', 'The row has ended here.'));
    }, 150);
  }
  show();
  return {
    bar, card, of,
    get on() { return shade !== 'role'; },
    take(view) { stamp = view.stamp; sides = view.sides; if (shade !== 'role' && shade !== 'before' && !sides.after) shade = 'before'; show(); ask(); },
    pinned(place) { if (place?.row === pin?.row && place?.t === pin?.t && place?.stamp === pin?.stamp) return; pin = place; tops(); },
  };
};
