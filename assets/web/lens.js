// The batch lens: five steps from text to masked targets, on the trainer's own batch. Data reaches the page only as
// textContent.
(() => {
  const { el, attrs, percent, count, tile, scale, onTheme } = window.ift.parts;
  const ROLE_NAMES = ['template', 'instruction', 'input', 'header', 'response', 'end of text', 'padding'];
  const ROLE_LETTERS = ['T', 'I', 'N', 'H', 'R', 'E', 'P'];
  const RESPONSE = '4', EOS = '5', PAD = '6', EOS_ID = 50256;
  const STEPS = ['Format', 'Tokenize', 'Pad', 'Shift', 'Mask −100'];
  const LINES = [[], ['ids'], ['ids'], ['input', 'target'], ['input', 'target']]; // of a row, by step; a second mask adds `other`
  const WINDOW = 64, PAGE = 8; // columns and rows shown at once
  const SVG = 'http://www.w3.org/2000/svg';
  const KEYS = [['← → ↑ ↓', 'one cell'], ['Home End', 'first, last position of the row'], ['1 – 5', 'the step'], ['M', 'the next mask'], ['F', 'fold the shared opening'],
    ['R', 'the response'], ['E', 'the end of the row'], ['Page up, Page down', 'other rows'], ['?', 'this list']];

  const button = (text, act) => { const b = el('button', 'ift-btn', text); b.type = 'button'; b.onclick = act; return b; };
  const fill = (parent, nodes) => { // the browser lays out again only what moved
    if (parent.childNodes.length !== nodes.length || nodes.some((node, i) => parent.childNodes[i] !== node)) parent.replaceChildren(...nodes);
  };

  window.ift.lens = (element, props, watch, server, events) => {
    const root = element.querySelector('.lens');
    const { said } = window.ift.link;
    let view = null, unknown = new Set(), groups = [], step = STEPS[said.step - 1] ? said.step : 5, fold = said.fold !== false, from = 0, folded = 0, above = 0, pin = null, code = [];
    let wanted = said.pin, restored = false; // where a link points, until it has been drawn
    const cells = new Map(), lines = new Map(), head = attrs(el('div', 'line'), { role: 'row' });

    // ---- What stands around the grid -----------------------------------------------------------------------
    const stepper = attrs(el('div', 'steps row'), { role: 'group', 'aria-label': 'From text to targets' });
    const stepButtons = STEPS.map((name, i) => { const b = button('', () => go(i + 1)); b.append(el('kbd', '', String(i + 1)), name); return b; });
    stepper.append(...stepButtons);
    const help = el('dialog', 'ift keys', el('h2', '', 'Keys, while the grid has the focus'), el('dl', '', ...KEYS.flatMap(([name, text]) => [el('dt', '', el('kbd', '', name)), el('dd', '', text)])), button('Close', () => help.close()));
    stepper.append(button('? Keys', () => help.showModal()));
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
    const less = button('↑ rows', () => turn(-1)), more = button('↓ rows', () => turn(1)), rowSpan = el('span', 'muted');
    bar.append(foldButton, earlier, span, later, less, rowSpan, more);
    const xray = window.ift.xray(server, () => { if (view && step > 1) { drawGrid(); mark(pin); } });
    const overviewCard = el('div', '', el('p', 'muted', 'The whole batch, targets only: choose a place to jump there.'), overview);
    const lint = window.ift.lint(server);
    let value = {}; // of the grid: from one of Gradio's events, or from a key in the template
    const keys = window.ift.keys(server, events, typed => { value = typed; draw(true); });
    root.append(stepper, tiles, legend, xray.bar, bar, wrap, overviewCard,
      el('div', 'half', el('div', 'card', el('h2', '', 'Selected position'), detail, how), el('div', 'card listing', stepTitle, listing), xray.card), lint.card, help);
    for (const [role, name] of ROLE_NAMES.entries()) legend.append(el('li', '', el('i', `sw s${role}`, ROLE_LETTERS[role]), name));
    const maskedKey = el('li', '', el('i', 'sw m s0', ''), '−100: ignored by the loss'), unknownKey = el('li', '', el('i', 'sw u s0', '?'), 'new to the model');
    legend.append(maskedKey, unknownKey);
    server.lens_code({}).then(found => { code = found; drawCode(); }).catch(error => console.info('no code from the server', error));

    // ---- The batch, cell by cell ---------------------------------------------------------------------------
    const lineKinds = () => step === 5 && view?.other ? [...LINES[4], 'other'] : LINES[step - 1];
    const shownRows = () => Array.from({ length: Math.min(PAGE, view.rows.length - above) }, (_, i) => above + i);
    const maskOf = kind => kind === 'other' ? view.other : view;
    const trained = (row, t, kind = 'target') => maskOf(kind).trained[row][t] === '1';
    const width = () => LINES[step - 1][0] === 'ids' ? view.width + 1 : view.width;
    function at(row, kind, t) { // {id, role, masked, piece}, or null where nothing stands; `place`: in the row before the shift
      const made = (id, role, place, masked = false) => ({ id, role, masked, group: groups[row].get(place), piece: role === PAD ? 'pad' : role === EOS ? 'EOS' : groups[row].get(place)?.text ?? view.pieces[id] });
      if (kind === 'input') return made(view.inputs[row][t], view.input_roles[row][t], t);
      if (kind !== 'ids') return made(view.next[row][t], view.roles[row][t], t + 1, step === 5 && !trained(row, t, kind));
      const n = view.lengths[row]; // the row itself: its inputs and the last id, which is only a target
      if (t < n) return made(view.inputs[row][t], view.input_roles[row][t], t);
      if (t === n && n) return made(view.next[row][n - 1], view.roles[row][n - 1], n);
      return step === 3 ? made(EOS_ID, PAD, -1) : null;
    }
    const groupsOf = found => new Map(found.flatMap(([first, size, text]) => Array.from({ length: size }, (_, i) => [first + i, { text: `${text} ${i + 1}/${size}`, part: i === 0 ? 'first' : i === size - 1 ? 'last' : 'middle' }])));
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
        ...(view.other ? [tile(percent(view.trained_tokens ? view.other.trained_tokens / view.trained_tokens * view.trained_share : 0), `under the second mask, ${view.other.mask}: ${count(view.other.trained_tokens)}`)] : []),
        tile(percent(answer), 'of the loss is response and end of text', shares));
    }
    function cell(key, className, text, small) {
      let node = cells.get(key);
      if (!node) { // its texts stay: to write into them is far cheaper for the browser than to replace them
        node = attrs(el('div', '', el('b', '', ' '), '\n', el('small', '', ' ')), { role: 'gridcell', tabindex: -1 });
        node.texts = [node.firstChild.firstChild, node.lastChild.firstChild];
        if (!/fold|none/.test(key)) node.dataset.key = key;
        cells.set(key, node);
      }
      const state = `${className}|${text}|${small}`;
      if (node.state !== state) { node.state = state; node.className = className; node.texts[0].data = text; node.texts[1].data = small; }
      return node;
    }
    function drawCell(row, kind, t, sees) {
      const name = `${row}/${kind}/${t}`;
      if (sees && cells.has(name) && !sees(row, t)) return cells.get(name);
      const found = at(row, kind, t);
      if (!found) return cell(`${name}/none`, 'c none', '', '');
      const { id, role, masked, piece, group } = found, isNew = unknown.has(id) && role < EOS, loss = kind === 'target' ? xray.of(row, t) : null;
      const classes = `c s${role}${masked ? ' m' : ''}${isNew ? ' u' : ''}${group ? ` part ${group.part}` : ''}${loss ? ` loss ${loss.kind}` : ''}`;
      const node = cell(name, classes, masked && !loss ? '−100' : piece, loss ? loss.text : masked ? piece : id);
      const tint = loss ? `${Math.round(100 * loss.share)}%` : '';
      if (node.tint !== tint) { node.tint = tint; node.style.setProperty('--tint', tint); }
      const spoken = `row ${view.rows[row]}, position ${t}, ${kind === 'other' ? `target under ${view.other.mask}` : kind} ${masked ? 'minus 100, ignored, was ' : ''}${piece}, id ${id}, ${ROLE_NAMES[role]}${isNew ? ', new to the model' : ''}${loss ? `, loss ${loss.text} nats` : ''}`;
      if (node.spoken !== spoken) { node.spoken = spoken; node.dataset.id = masked ? -100 : id; node.setAttribute('aria-label', spoken); node.setAttribute('aria-colindex', t + 1); }
      return node;
    }
    const labelOf = kind => kind === 'ids' || kind === 'input' ? kind : view.other && step === 5 ? maskOf(kind).mask : 'target';
    function drawLine(row, kind, start, end, sees) {
      const name = `${row}/${kind}`;
      const line = lines.get(name) || attrs(el('div', `line ${kind}`, attrs(el('div', 'lab', el('b'), kind), { role: 'rowheader' })), { role: 'row' });
      lines.set(name, line);
      line.firstChild.firstChild.textContent = kind === 'target' || kind === 'other' ? '' : `row ${view.rows[row]}`;
      line.firstChild.lastChild.textContent = labelOf(kind);
      line.setAttribute('aria-rowindex', row * lineKinds().length + lineKinds().indexOf(kind) + 2);
      line.classList.toggle('between', kind === 'target' && lineKinds().length === 3);
      const nodes = [line.firstChild];
      if (folded) {
        const masked = step === 5 && kind !== 'input' && !maskOf(kind).trained[row].slice(0, folded).includes('1');
        nodes.push(cell(`${name}/fold`, `c fold s0${masked ? ' m' : ''}`, masked ? `${folded} × −100` : `${folded} shared`, ''));
      }
      for (let t = start; t < end; t++) nodes.push(drawCell(row, kind, t, sees));
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
    function columns(start, end, sees) {
      const widths = [];
      for (let t = start; t < end; t++) {
        if (sees && !sees(null, t)) { widths.push(grid.widths[t - start]); continue; }
        let wide = 3;
        for (const row of shownRows()) for (const kind of LINES[step - 1]) {
          const found = at(row, kind, t);
          if (found) wide = Math.max(wide, String(found.id).length * .86, [...found.piece].length, found.masked || xray.on ? 4 : 0);
        }
        widths.push(`${Math.round(Math.min(wide, 11) * 7.9 * scale() + 8)}px`);
      }
      const label = Math.max(...shownRows().map(row => String(view.rows[row]).length)) + Math.max(...lineKinds().map(kind => labelOf(kind).length)) + 5; // "row 7 input" and the paddings
      grid.widths = widths;
      return `${Math.round(label * 7.2 * scale() + 22)}px ${folded ? `${84 * scale()}px ` : ''}${widths.join(' ')}`;
    }
    // A key must show at once: first what is on the screen, and when that has been painted the rest of the grid. Says
    // which cells those are, from where they stood; null where there is nothing to go by, and all is to be drawn.
    function onScreen() {
      const start = opening(), end = Math.min(width(), start + from + WINDOW);
      if (Boolean(start) !== Boolean(folded) || grid.widths?.length !== end - start - from) return null;
      const box = wrap.getBoundingClientRect(), left = wrap.scrollLeft, right = left + wrap.clientWidth, seen = new Set();
      let x = grid.firstChild.firstChild.offsetWidth + (start ? 84 * scale() : 0);
      grid.widths.forEach((wide, i) => { const next = x + parseFloat(wide); if (next > left && x < right) seen.add(start + from + i); x = next; });
      const rows = new Set(shownRows().filter(row => {
        const line = lines.get(`${row}/${lineKinds()[0]}`), last = lines.get(`${row}/${lineKinds().at(-1)}`);
        return !line?.isConnected || !last?.isConnected || (box.top + line.offsetTop < innerHeight && box.top + last.offsetTop + last.offsetHeight > 0);
      }));
      return (row, t) => seen.has(t) && (row === null || rows.has(row));
    }
    function move(by) { // the folded opening grew: all that follows keeps its cell, and what is pinned is the same token
      const moved = [...cells].map(([name, node]) => {
        const [row, kind, t, ...none] = name.split('/'), place = t === 'fold' ? name : [row, kind, +t + by, ...none].join('/');
        if (node.dataset.key) node.dataset.key = place;
        return [place, node];
      });
      cells.clear();
      for (const [place, node] of moved) cells.set(place, node);
      if (pin && pin.t + by < width()) pin = { ...pin, t: Math.max(0, pin.t + by) };
    }
    function drawGrid(sees = null) {
      const kinds = lineKinds(), all = width(), rows = shownRows(), before = folded;
      folded = opening();
      if (before && folded && before !== folded) move(folded - before);
      if (from >= all - folded) from = 0;
      const start = folded + from, end = Math.min(all, start + WINDOW), template = columns(start, end, sees);
      for (const name of cells.keys()) { const [row, kind, t] = name.split('/'); if (!rows.includes(+row) || !kinds.includes(kind) || (t !== 'fold' && (t < start || t >= end))) cells.delete(name); }
      if (grid.columns !== template) { grid.columns = template; grid.style.setProperty('--columns', template); }
      attrs(grid, { 'aria-rowcount': view.rows.length * kinds.length + 1, 'aria-colcount': all });
      drawHead(start, end);
      const focused = document.activeElement?.dataset?.key;
      fill(grid, [head, ...rows.flatMap(row => kinds.map(kind => drawLine(row, kind, start, end, sees))), arrows]);
      if (focused && document.activeElement?.dataset?.key !== focused && grid.contains(cells.get(focused))) cells.get(focused).focus();
      foldButton.setAttribute('aria-pressed', fold);
      earlier.hidden = later.hidden = all - folded <= WINDOW;
      earlier.disabled = from === 0; later.disabled = end >= all;
      span.textContent = `columns ${start} to ${end - 1} of ${all}`;
      less.hidden = more.hidden = rowSpan.hidden = view.rows.length <= PAGE;
      less.disabled = above === 0; more.disabled = above + PAGE >= view.rows.length;
      rowSpan.textContent = `rows ${above + 1} to ${above + rows.length} of ${view.rows.length}`;
      return [start, end];
    }
    function drawTexts() { // step 1: what the template makes of each record
      texts.replaceChildren(...shownRows().map(row => el('div', 'text', el('b', '', `row ${view.rows[row]}`),
        el('pre', '', ...view.segments[row].map(([role, text]) => el('span', `s${role}`, text))))));
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
      const lines = shown ? shown.lines.join('\n') : '';
      if (listing.textContent !== lines) listing.textContent = lines;
    }
    let rest = 0; // the frame after which the rest of the grid is drawn
    function draw(quick = false) {
      // As text: Gradio wraps every nested value in a reactive proxy, and a grid reads thousands of them.
      const text = value.batch;
      root.classList.toggle('stale', !text);
      if (!text) return;
      view = { ...JSON.parse(text), stamp: value.stamp };
      unknown = new Set(view.unknown);
      groups = view.groups.map(groupsOf);
      if (above >= view.rows.length) above = 0;
      if (Array.isArray(wanted) && window.ift.link.restored(view.link) && view.rows.length > wanted[0]) { // a link's position, once
        const [row, kind, t] = wanted;
        wanted = undefined;
        restored = true;
        if (lineKinds().includes(kind) && t >= 0 && t < width()) { pin = { row, kind, t }; above = Math.floor(row / PAGE) * PAGE; folded = opening(); from = Math.max(0, Math.floor((t - folded) / WINDOW) * WINDOW); if (t < folded) fold = false; }
      }
      xray.take(view);
      lint.take(view);
      const isText = step === 1;
      grid.hidden = bar.hidden = isText;
      texts.hidden = !isText;
      stepButtons.forEach((b, i) => i + 1 === step ? b.setAttribute('aria-current', 'step') : b.removeAttribute('aria-current'));
      maskedKey.hidden = step < 5;
      unknownKey.hidden = !unknown.size;
      attrs(wrap, { tabindex: isText ? 0 : -1 });
      drawTiles(); drawCode();
      const sees = quick && !isText && !restored && !document.hidden ? onScreen() : null;
      if (isText) { drawTexts(); explain(null); }
      else {
        const [start, end] = drawGrid(sees), reveal = !pin || !shownRows().includes(pin.row) || pin.t < start || pin.t >= end || !lineKinds().includes(pin.kind);
        if (reveal) pin = first(start, end);
        mark(pin);
        if ((reveal || restored) && pin) { const found = cells.get(key(pin)); restored = false; wrap.scrollLeft = Math.max(0, found.offsetLeft - wrap.clientWidth * .6); }
      }
      root.dataset.step = step;
      root.dataset.shown = view.stamp;
      remember();
      cancelAnimationFrame(rest);
      if (sees) rest = requestAnimationFrame(() => setTimeout(finish));
      else finish(false);
    }
    function finish(isLate = true) {
      if (isLate && root.dataset.drawn === String(view.stamp)) return;
      if (isLate && step > 1) { drawGrid(); mark(pin); }
      drawOverview();
      root.dataset.drawn = view.stamp;
    }
    const key = place => `${place.row}/${place.kind}/${place.t}`;
    const remember = () => view && window.ift.link.keep({ ...view.link, step, fold, ...(pin ? { pin: [pin.row, pin.kind, pin.t] } : {}) });
    function first(start, end) { // the first target that counts, or the place that was pinned in another step
      const kind = LINES[step - 1][0];
      if (pin && shownRows().includes(pin.row) && pin.t >= start && pin.t < end) return { ...pin, kind };
      for (const row of shownRows()) for (let t = start; t < Math.min(end, view.width); t++) if (trained(row, t)) return { row, t, kind };
      return view.rows.length ? { row: above, t: start, kind } : null;
    }

    // ---- One position: two arrows, the context, a sentence ----------------------------------------------------
    function mark(place) {
      const marks = new Map(), isPair = LINES[step - 1].length === 2; // input and target
      if (place) {
        const context = isPair ? 'input' : 'ids';
        for (let t = 0; t < place.t; t++) marks.set(`${place.row}/${context}/${t}`, 'seen');
        for (const kind of lineKinds()) marks.set(`${place.row}/${kind}/${place.t}`, 'on');
      }
      const stop = place && key(place);
      for (const [name, node] of cells) {
        const wanted = marks.get(name) || '';
        for (const kind of ['on', 'seen']) if (node.classList.contains(kind) !== (wanted === kind)) node.classList.toggle(kind);
        if (node.tabIndex !== (name === stop ? 0 : -1)) node.tabIndex = name === stop ? 0 : -1;
      }
      drawArrows(isPair ? place : null);
      explain(place);
      if (place === pin) { xray.pinned(place && isPair ? { row: place.row, t: place.t, next: view.next[place.row][place.t], stamp: view.stamp } : null); remember(); }
    }
    function drawArrows(place) { // solid: input[t] predicts target[t]; dashed: input[t+1] is the same token, one column left
      arrows.replaceChildren();
      const target = place && cells.get(`${place.row}/target/${place.t}`);
      if (!target) return;
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
      return `Row ${view.rows[row]}, t = ${t}. The token “${found.piece}” has the id ${found.id} (${ROLE_NAMES[found.role]}).`;
    }
    function pairSentence({ row, t }) {
      const role = view.roles[row][t], next = at(row, 'target', t).piece, last = at(row, 'input', t).piece, loss = xray.of(row, t);
      const counts = [step === 4 ? '' : trained(row, t) ? 'This position counts in the loss.' : 'The target is −100: this position adds nothing to the loss.',
        step === 5 && view.other ? `Under the mask “${view.other.mask}” it ${trained(row, t, 'other') ? 'counts' : 'does not count'}.` : '', loss ? `Loss here: ${loss.text} nats.` : ''].filter(Boolean).join(' ');
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
      if (!shownRows().includes(row)) { above = Math.floor(row / PAGE) * PAGE; pin = { row, kind, t }; draw(); }
      if (t < folded + from || t >= folded + from + WINDOW) { from = Math.floor((t - folded) / WINDOW) * WINDOW; pin = { row, kind, t }; draw(); }
      cells.get(`${row}/${kind}/${t}`)?.focus();
    }
    function turn(pages) { above = Math.max(0, Math.min(Math.floor((view.rows.length - 1) / PAGE) * PAGE, above + pages * PAGE)); draw(); }
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
      if (event.key === '?') { event.preventDefault(); help.showModal(); return; }
      if (event.key === 'PageDown' || event.key === 'PageUp') { event.preventDefault(); turn(event.key === 'PageDown' ? 1 : -1); (step === 1 ? wrap : pin && cells.get(key(pin)))?.focus(); return; }
      if ('12345'.includes(event.key)) { event.preventDefault(); go(+event.key); return; }
      const here = place(event.target), jump = jumps[event.key.toLowerCase()];
      if (!here) return;
      if (jump) { event.preventDefault(); jump(here); return; }
      const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e6], End: [0, 1e6] }[event.key];
      if (!move) return;
      event.preventDefault();
      const stops = view.rows.flatMap((_, row) => lineKinds().map(kind => [row, kind]));
      const now = stops.findIndex(([row, kind]) => row === here.row && kind === here.kind);
      const [row, kind] = stops[Math.min(stops.length - 1, Math.max(0, now + move[0]))];
      show(row, kind, here.t + move[1]);
    });
    const follow = () => { const { stamp, batch, message, template, preset } = props.value || {}; if (message !== undefined) keys.accept({ stamp, message, template, preset }); if (stamp) value = { stamp, batch }; };
    follow(); draw(); watch('value', () => { follow(); draw(true); }); onTheme(element, () => draw());
  };
})();
