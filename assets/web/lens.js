// The batch lens: five steps from text to masked targets, on the trainer's own batch. Data reaches the page only as
// textContent.
(() => {
  const { el, attrs, percent, count, tile, scale, onTheme } = window.ift.parts;
  const ROLE_NAMES = ['template', 'instruction', 'input', 'header', 'response', 'end of text', 'padding'];
  const ROLE_LETTERS = ['T', 'I', 'N', 'H', 'R', 'E', 'P'];
  const RESPONSE = '4', EOS = '5', PAD = '6', EOS_ID = 50256;
  const STEPS = ['Format', 'Tokenize', 'Pad', 'Shift', 'Mask −100'];
  const LINES = [[], ['ids'], ['ids'], ['input', 'target'], ['input', 'target']]; // of a row, by step
  const WINDOW = 64; // columns shown at once
  const SVG = 'http://www.w3.org/2000/svg';
  const KEYS = 'Keys in the grid: arrows, Home, End · 1–5 step · M mask · F fold · R response · E end';

  const button = (text, act) => { const b = el('button', 'ift-btn', text); b.type = 'button'; b.onclick = act; return b; };
  const fill = (parent, nodes) => { // the browser lays out again only what moved
    if (parent.childNodes.length !== nodes.length || nodes.some((node, i) => parent.childNodes[i] !== node)) parent.replaceChildren(...nodes);
  };

  window.ift.lens = (element, props, watch, server) => {
    const root = element.querySelector('.lens');
    let view = null, unknown = new Set(), step = 5, fold = true, from = 0, folded = 0, pin = null, code = [];
    const cells = new Map(), lines = new Map(), head = attrs(el('div', 'line'), { role: 'row' });

    // ---- What stands around the grid -----------------------------------------------------------------------
    const stepper = attrs(el('div', 'steps row'), { role: 'group', 'aria-label': 'From text to targets' });
    for (const [i, name] of STEPS.entries()) stepper.append(button('', () => go(i + 1)));
    [...stepper.children].forEach((b, i) => b.append(el('kbd', '', String(i + 1)), STEPS[i]));
    stepper.append(el('span', 'muted keys', KEYS));
    const tiles = el('div', 'tiles'), legend = el('ul', 'legend'), bar = el('div', 'row');
    const grid = attrs(el('div', 'g'), { role: 'grid', 'aria-label': 'Input and target tensors' });
    const arrows = attrs(document.createElementNS(SVG, 'svg'), { class: 'arrows', 'aria-hidden': 'true' });
    const texts = el('div', 'texts'), wrap = el('div', 'wrap', grid, texts);
    const overview = attrs(el('div', 'overview'), { 'aria-hidden': 'true' });
    const detail = attrs(el('p', 'detail'), { 'aria-live': 'polite' }), how = el('p', 'muted'), listing = el('pre', 'code');
    const foldButton = button('Fold the shared opening', () => { fold = !fold; from = 0; draw(); });
    const earlier = button('← earlier', () => { from = Math.max(0, from - WINDOW); draw(); });
    const later = button('later →', () => { from += WINDOW; draw(); });
    const span = el('span', 'muted'), stepTitle = el('h2');
    bar.append(foldButton, earlier, span, later);
    const overviewCard = el('div', '', el('p', 'muted', 'The whole batch, targets only: choose a place to jump there.'), overview);
    root.append(stepper, tiles, legend, bar, wrap, overviewCard,
      el('div', 'half', el('div', 'card', el('h2', '', 'Selected position'), detail, how), el('div', 'card', stepTitle, listing)));
    for (const [role, name] of ROLE_NAMES.entries()) legend.append(el('li', '', el('i', `sw s${role}`, ROLE_LETTERS[role]), name));
    const maskedKey = el('li', '', el('i', 'sw m s0', ''), '−100: ignored by the loss'), unknownKey = el('li', '', el('i', 'sw u s0', '?'), 'new to the model');
    legend.append(maskedKey, unknownKey);
    server.lens_code({}).then(found => { code = found; drawCode(); }).catch(error => console.info('no code from the server', error));

    // ---- The batch, cell by cell ---------------------------------------------------------------------------
    const label = (id, role) => role === PAD ? 'pad' : role === EOS ? 'EOS' : view.pieces[id];
    const trained = (row, t) => view.trained[row][t] === '1';
    const width = () => LINES[step - 1][0] === 'ids' ? view.width + 1 : view.width;
    function at(row, kind, t) { // {id, role, masked}, or null where nothing stands
      if (kind === 'input') return { id: view.inputs[row][t], role: view.input_roles[row][t], masked: false };
      if (kind === 'target') return { id: view.next[row][t], role: view.roles[row][t], masked: step === 5 && !trained(row, t) };
      const n = view.lengths[row]; // the row itself: its inputs and the last id, which is only a target
      if (t < n) return { id: view.inputs[row][t], role: view.input_roles[row][t], masked: false };
      if (t === n && n) return { id: view.next[row][n - 1], role: view.roles[row][n - 1], masked: false };
      return step === 3 ? { id: EOS_ID, role: PAD, masked: false } : null;
    }
    function opening() { // columns that are the same template text in every row
      if (!fold || !view.rows.length) return 0;
      let t = 0;
      while (t + 1 < view.width && view.rows.every((_, b) => view.input_roles[b][t] === '0' && view.roles[b][t] === '0'
        && view.inputs[b][t] === view.inputs[0][t] && view.next[b][t] === view.next[0][t])) t++;
      return t < 4 ? 0 : t;
    }

    // ---- Drawing: nodes stay, only what differs is written ---------------------------------------------------
    function drawTiles() {
      const shares = el('div', 'sbar');
      view.role_shares.forEach((share, role) => { const i = el('i'); i.style.cssText = `width:${100 * share}%;background:var(--r${role}b)`; shares.append(i); });
      const answer = view.role_shares[4] + view.role_shares[5];
      tiles.replaceChildren(
        tile(`${view.rows.length} × ${view.width}`, 'tensor shape (B × T)'),
        tile(percent(view.padding_share), `padding: ${count(view.padding)} of ${count(view.rows.length * view.width)} cells`),
        tile(percent(view.trained_share), `of the real tokens are trained: ${count(view.trained_tokens)}`),
        tile(percent(answer), 'of the loss is response and end of text', shares));
    }
    function cell(key, className, text, small) {
      let node = cells.get(key);
      if (!node) { node = attrs(el('div', '', el('b'), el('small')), { role: 'gridcell', tabindex: -1 }); if (!/fold|none/.test(key)) node.dataset.key = key; cells.set(key, node); }
      const state = `${className}|${text}|${small}`;
      if (node.state !== state) { node.state = state; node.className = className; node.firstChild.textContent = text; node.lastChild.textContent = small; }
      return node;
    }
    function drawCell(row, kind, t) {
      const found = at(row, kind, t), name = `${row}/${kind}/${t}`;
      if (!found) return cell(`${name}/none`, 'c none', '', '');
      const { id, role, masked } = found, piece = label(id, role), isNew = unknown.has(id) && role < EOS;
      const node = cell(name, `c s${role}${masked ? ' m' : ''}${isNew ? ' u' : ''}`, masked ? '−100' : piece, masked ? piece : id);
      const spoken = `row ${view.rows[row]}, position ${t}, ${kind} ${masked ? 'minus 100, ignored, was ' : ''}${piece}, id ${id}, ${ROLE_NAMES[role]}${isNew ? ', new to the model' : ''}`;
      if (node.spoken !== spoken) { node.spoken = spoken; node.dataset.id = masked ? -100 : id; node.setAttribute('aria-label', spoken); node.setAttribute('aria-colindex', t + 1); }
      return node;
    }
    function drawLine(row, kind, start, end) {
      const name = `${row}/${kind}`;
      const line = lines.get(name) || attrs(el('div', `line ${kind}`, attrs(el('div', 'lab', el('b'), kind), { role: 'rowheader' })), { role: 'row' });
      lines.set(name, line);
      line.firstChild.firstChild.textContent = kind === 'target' ? '' : `row ${view.rows[row]}`;
      const nodes = [line.firstChild];
      if (folded) {
        const masked = step === 5 && kind === 'target' && !view.trained[row].slice(0, folded).includes('1');
        nodes.push(cell(`${name}/fold`, `c fold s0${masked ? ' m' : ''}`, masked ? `${folded} × −100` : `${folded} shared`, ''));
      }
      for (let t = start; t < end; t++) nodes.push(drawCell(row, kind, t));
      fill(line, nodes);
      return line;
    }
    function drawHead(start, end) {
      const shown = `${folded}/${start}/${end}`;
      if (head.span === shown) return;
      head.span = shown;
      const positions = [...(folded ? [`0–${folded - 1}`] : []), ...Array.from({ length: end - start }, (_, i) => String(start + i))];
      head.replaceChildren(attrs(el('div', 'lab', 'position t'), { role: 'columnheader' }), ...positions.map(text => attrs(el('div', 'pos', text), { role: 'columnheader' })));
    }
    function columns(start, end) {
      const widths = [];
      for (let t = start; t < end; t++) {
        let wide = 3;
        for (let row = 0; row < view.rows.length; row++) for (const kind of LINES[step - 1]) {
          const found = at(row, kind, t);
          if (found) wide = Math.max(wide, String(found.id).length * .86, label(found.id, found.role).length, found.masked ? 4 : 0);
        }
        widths.push(`${Math.round(Math.min(wide, 11) * 7.9 * scale() + 8)}px`);
      }
      return `max-content ${folded ? `${84 * scale()}px ` : ''}${widths.join(' ')}`;
    }
    function drawGrid() {
      const kinds = LINES[step - 1], all = width();
      for (const key of cells.keys()) { const [row, kind, t] = key.split('/'); if (row >= view.rows.length || t >= all || !kinds.includes(kind)) cells.delete(key); }
      folded = opening();
      if (from >= all - folded) from = 0;
      const start = folded + from, end = Math.min(all, start + WINDOW), template = columns(start, end);
      if (grid.columns !== template) { grid.columns = template; grid.style.gridTemplateColumns = template; }
      attrs(grid, { 'aria-rowcount': view.rows.length * kinds.length + 1, 'aria-colcount': all });
      drawHead(start, end);
      const focused = document.activeElement?.dataset?.key;
      fill(grid, [head, ...view.rows.flatMap((_, row) => kinds.map(kind => drawLine(row, kind, start, end))), arrows]);
      if (focused && document.activeElement?.dataset?.key !== focused && grid.contains(cells.get(focused))) cells.get(focused).focus();
      foldButton.setAttribute('aria-pressed', fold);
      earlier.hidden = later.hidden = all - folded <= WINDOW;
      earlier.disabled = from === 0; later.disabled = end >= all;
      span.textContent = `columns ${start} to ${end - 1} of ${all}`;
      return [start, end];
    }
    function drawTexts() { // step 1: what the template makes of each record
      texts.replaceChildren(...view.segments.map((segments, row) => el('div', 'text', el('b', '', `row ${view.rows[row]}`),
        el('pre', '', ...segments.map(([role, text]) => el('span', `s${role}`, text))))));
    }
    function drawOverview() {
      overview.replaceChildren(...view.rows.map((_, row) => {
        const strip = el('div');
        strip.dataset.row = row;
        for (let t = 0, begun = 0; t < view.width; t++) {
          const same = t + 1 < view.width && view.roles[row][t + 1] === view.roles[row][t] && trained(row, t + 1) === trained(row, t);
          if (same) continue;
          const i = el('i', trained(row, t) || step < 5 ? '' : 'm');
          i.style.cssText = `flex-grow:${t + 1 - begun};--c:var(--r${view.roles[row][t]}b)`;
          strip.append(i);
          begun = t + 1;
        }
        return strip;
      }));
    }
    function drawCode() {
      const shown = code[step - 1];
      stepTitle.textContent = `Step ${step} in code${shown ? `: ${shown.where}` : ''}`;
      listing.textContent = shown ? shown.lines.join('\n') : '';
    }
    function draw() {
      // As text: Gradio wraps every nested value in a reactive proxy, and a grid reads thousands of them.
      const text = props.value && props.value.batch;
      root.classList.toggle('stale', !text);
      if (!text) return;
      view = JSON.parse(text);
      unknown = new Set(view.unknown);
      const isText = step === 1;
      grid.hidden = bar.hidden = isText;
      texts.hidden = !isText;
      [...stepper.querySelectorAll('button')].forEach((b, i) => i + 1 === step ? b.setAttribute('aria-current', 'step') : b.removeAttribute('aria-current'));
      maskedKey.hidden = step < 5;
      unknownKey.hidden = !unknown.size;
      attrs(wrap, { tabindex: isText ? 0 : -1 });
      drawTiles(); drawOverview(); drawCode();
      if (isText) { drawTexts(); explain(null); }
      else {
        const [start, end] = drawGrid(), reveal = !pin || pin.row >= view.rows.length || pin.t < start || pin.t >= end || !LINES[step - 1].includes(pin.kind);
        if (reveal) pin = first(start, end);
        mark(pin);
        if (reveal && pin) { const found = cells.get(key(pin)); wrap.scrollLeft = Math.max(0, found.offsetLeft - wrap.clientWidth * .6); }
      }
      root.dataset.drawn = view.stamp;
      root.dataset.step = step;
    }
    const key = place => `${place.row}/${place.kind}/${place.t}`;
    function first(start, end) { // the first target that counts, or the place that was pinned in another step
      const kind = LINES[step - 1][0];
      if (pin && pin.row < view.rows.length && pin.t >= start && pin.t < end) return { ...pin, kind };
      for (let row = 0; row < view.rows.length; row++) for (let t = start; t < Math.min(end, view.width); t++) if (trained(row, t)) return { row, t, kind };
      return view.rows.length ? { row: 0, t: start, kind } : null;
    }

    // ---- One position: two arrows, the context, a sentence ----------------------------------------------------
    function mark(place) {
      const marks = new Map(), isPair = LINES[step - 1].length === 2;
      if (place) {
        const context = isPair ? 'input' : 'ids';
        for (let t = 0; t < place.t; t++) marks.set(`${place.row}/${context}/${t}`, 'seen');
        for (const kind of LINES[step - 1]) marks.set(`${place.row}/${kind}/${place.t}`, 'on');
      }
      const stop = place && key(place);
      for (const [name, node] of cells) {
        const wanted = marks.get(name) || '';
        for (const kind of ['on', 'seen']) if (node.classList.contains(kind) !== (wanted === kind)) node.classList.toggle(kind);
        if (node.tabIndex !== (name === stop ? 0 : -1)) node.tabIndex = name === stop ? 0 : -1;
      }
      drawArrows(isPair ? place : null);
      explain(place);
    }
    function drawArrows(place) { // solid: input[t] predicts target[t]; dashed: input[t+1] is the same token, one column left
      arrows.replaceChildren();
      const target = place && cells.get(`${place.row}/target/${place.t}`);
      if (!target) return;
      attrs(arrows, { width: grid.scrollWidth, height: grid.scrollHeight });
      const arrow = (source, className) => {
        if (!source) return;
        const [x, y] = [source.offsetLeft + source.offsetWidth / 2, source.offsetTop + source.offsetHeight];
        const [X, Y] = [target.offsetLeft + target.offsetWidth / 2 + (className === 'same' ? 6 : 0), target.offsetTop];
        const turn = Math.atan2(Y - y, X - x), wing = side => `${X - 9 * Math.cos(turn + side)} ${Y - 9 * Math.sin(turn + side)}`;
        arrows.append(attrs(document.createElementNS(SVG, 'path'), { class: className, d: `M${x} ${y}L${X} ${Y}` }),
          attrs(document.createElementNS(SVG, 'path'), { class: `${className} tip`, d: `M${wing(.45)}L${X} ${Y}L${wing(-.45)}` }));
      };
      if (place.t + 1 < view.lengths[place.row]) arrow(cells.get(`${place.row}/input/${place.t + 1}`), 'same');
      arrow(cells.get(`${place.row}/input/${place.t}`), 'predicts');
    }
    function explain(place) {
      how.textContent = LINES[step - 1].length === 2 ? 'Solid arrow: input[t] predicts target[t]. Dashed arrow: target[t] is input[t + 1], moved one column left. Underlined: the context the model sees.' : '';
      detail.textContent = step === 1 ? 'The template, with each record poured in. Colours tell where every character comes from.'
        : !place ? 'No row trains anything: choose other roles or other rows.'
        : LINES[step - 1].length === 2 ? pairSentence(place) : idSentence(place);
    }
    function idSentence({ row, t }) {
      const found = at(row, 'ids', t);
      if (!found) return `Row ${view.rows[row]} has ended: it has ${view.lengths[row] + 1} tokens.`;
      if (found.role === PAD) return `Row ${view.rows[row]}, t = ${t}. Padding up to the longest row, with the id of end-of-text.`;
      return `Row ${view.rows[row]}, t = ${t}. The token “${label(found.id, found.role)}” has the id ${found.id} (${ROLE_NAMES[found.role]}).`;
    }
    function pairSentence({ row, t }) {
      const role = view.roles[row][t], next = label(view.next[row][t], role), last = label(view.inputs[row][t], view.input_roles[row][t]);
      const counts = step === 4 ? '' : trained(row, t) ? 'This position counts in the loss.' : 'The target is −100: this position adds nothing to the loss.';
      return t >= view.lengths[row]
        ? `Row ${view.rows[row]}, t = ${t}. Padding: the row ended before. ${counts}`
        : `Row ${view.rows[row]}, t = ${t}. After ${t + 1} token${t ? 's' : ''} ending in “${last}” the model must predict “${next}” (id ${view.next[row][t]}, ${ROLE_NAMES[role]}). ${counts}`;
    }

    // ---- Mouse and keyboard ---------------------------------------------------------------------------------
    function go(wanted) {
      const had = document.activeElement?.dataset?.key || wrap === document.activeElement;
      const kind = LINES[wanted - 1][0];
      if (pin && kind) pin = { ...pin, kind };
      step = wanted;
      draw();
      for (let i = 1; i <= STEPS.length; i++) root.classList.remove(`to-${i}`);
      void root.offsetWidth; // begins the animation anew
      root.classList.add(`to-${step}`);
      if (had) (step === 1 ? wrap : pin && cells.get(key(pin)))?.focus();
    }
    function show(row, kind, t) { // bring a place into the window and focus it
      const last = width() - 1;
      t = Math.max(folded, Math.min(last, t));
      if (t < folded + from || t >= folded + from + WINDOW) { from = Math.floor((t - folded) / WINDOW) * WINDOW; pin = { row, kind, t }; draw(); }
      cells.get(`${row}/${kind}/${t}`)?.focus();
    }
    const place = node => { const found = node.closest?.('[data-key]'); if (!found) return null; const [row, kind, t] = found.dataset.key.split('/'); return { row: +row, kind, t: +t }; };
    const jumps = { // keys that act only while the grid has the focus
      m: () => document.querySelector('#mask input:checked')?.closest('label').nextElementSibling?.querySelector('input').click() ?? document.querySelector('#mask input')?.click(),
      f: () => foldButton.click(),
      r: here => show(here.row, here.kind, view.roles[here.row].indexOf(RESPONSE) + (here.kind === 'ids' ? 1 : 0)),
      e: here => show(here.row, here.kind, view.lengths[here.row] - (here.kind === 'ids' ? 0 : 1)),
    };
    grid.addEventListener('mouseover', event => { const here = place(event.target); if (here) mark(here); });
    grid.addEventListener('mouseleave', () => mark(pin));
    grid.addEventListener('focusin', event => { const here = place(event.target); if (here) { pin = here; mark(here); } });
    grid.addEventListener('click', event => place(event.target) && event.target.closest('[data-key]').focus());
    overview.addEventListener('click', event => {
      const strip = event.target.closest('[data-row]'), box = strip?.getBoundingClientRect();
      if (!box) return;
      if (step === 1) go(5);
      show(+strip.dataset.row, LINES[step - 1].at(-1), Math.floor(view.width * (event.clientX - box.left) / box.width));
    });
    wrap.addEventListener('keydown', event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if ('12345'.includes(event.key)) { event.preventDefault(); go(+event.key); return; }
      const here = place(event.target), jump = jumps[event.key.toLowerCase()];
      if (!here) return;
      if (jump) { event.preventDefault(); jump(here); return; }
      const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e6], End: [0, 1e6] }[event.key];
      if (!move) return;
      event.preventDefault();
      const stops = view.rows.flatMap((_, row) => LINES[step - 1].map(kind => [row, kind]));
      const now = stops.findIndex(([row, kind]) => row === here.row && kind === here.kind);
      const [row, kind] = stops[Math.min(stops.length - 1, Math.max(0, now + move[0]))];
      show(row, kind, here.t + move[1]);
    });
    draw(); watch('value', draw); onTheme(element, draw);
  };
})();
