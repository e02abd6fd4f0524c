// The page's own components: header, live grid, figure, run. Data reaches the page only as textContent.
window.ift = (() => {
  const ROLE_NAMES = ['template', 'instruction', 'input', 'header', 'response', 'end of text', 'padding'];
  const ROLE_LETTERS = ['T', 'I', 'N', 'H', 'R', 'E', 'P'];
  const TICKS = [.001, .003, .01, .03, .1, .3, 1, 3, 10]; // of a logarithmic loss axis
  const WINDOW = 64; // columns of the grid shown at once

  const el = (tag, className = '', ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };
  const attrs = (node, values) => { for (const [name, value] of Object.entries(values)) node.setAttribute(name, value); return node; };
  const percent = share => `${(100 * share).toFixed(1)} %`;
  const count = n => n.toLocaleString('en');
  const color = name => getComputedStyle(document.body).getPropertyValue(name).trim();
  const scroll = (name, table) => attrs(el('div', 'scroll', table), { tabindex: 0, role: 'region', 'aria-label': name });
  const tile = (value, text, ...more) => el('div', 'tile', el('b', '', value), el('span', '', text), ...more);

  // One remembered choice a visitor, per mode.
  function header(element) {
    const modes = { projector: false, dark: matchMedia('(prefers-color-scheme: dark)').matches };
    const buttons = {};
    const apply = (name, on) => {
      document.body.classList.toggle(name, on);
      document.documentElement.classList.toggle(name, name === 'dark' && on);
      buttons[name].setAttribute('aria-pressed', on);
      dispatchEvent(new Event('resize')); // Plotly fits itself anew
    };
    for (const name of Object.keys(modes)) {
      buttons[name] = element.querySelector(`[data-mode=${name}]`);
      const kept = localStorage.getItem(`ift-${name}`);
      apply(name, kept === null ? modes[name] : kept === 'true');
      buttons[name].addEventListener('click', () => {
        const on = buttons[name].getAttribute('aria-pressed') !== 'true';
        localStorage.setItem(`ift-${name}`, on);
        apply(name, on);
      });
    }
  }

  // ---- Plotly, in the page's colours -------------------------------------------------------------------------
  // Projector mode makes all type larger, in plots and grid columns too.
  const scale = () => document.body.classList.contains('projector') ? 1.4 : 1;
  const axis = extra => ({ gridcolor: color('--grid'), linecolor: color('--edge'), zeroline: false, automargin: true, ...extra });
  function layout(extra = {}) {
    const { xaxis = {}, yaxis = {}, ...rest } = extra;
    return {
      margin: { t: 16 * scale(), r: 16, l: 56 * scale(), b: 44 * scale() }, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', hovermode: 'closest',
      font: { color: color('--muted'), size: 14 * scale(), family: 'system-ui, "Noto Sans", "DejaVu Sans", sans-serif' },
      legend: { orientation: 'h', y: 1.12, x: 0 }, xaxis: axis(xaxis), yaxis: axis(yaxis), ...rest,
    };
  }
  // Plotly's script is large and comes later than the page: who is early draws when it is there.
  const withPlotly = draw => () => { if (window.Plotly) draw(); else addEventListener('load', () => draw(), { once: true }); };
  // Figures name colours as CSS variables ("--acc"), so that one figure serves light and dark.
  const painted = value => typeof value === 'string' && value.startsWith('--') ? color(value)
    : Array.isArray(value) ? value.map(painted)
    : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v)])) : value;
  const onTheme = (element, redraw) => { // until the component goes
    const seen = new MutationObserver(() => element.isConnected ? redraw() : seen.disconnect());
    seen.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  };

  function figure(element, props, watch) {
    const host = element.querySelector('.plot');
    const draw = withPlotly(() => {
      const value = props.value;
      if (!value || !value.data) { host.hidden = true; return; }
      host.hidden = false;
      attrs(host, { role: 'img', 'aria-label': value.label });
      if (value.height) host.style.height = `${value.height * scale()}px`;
      Plotly.react(host, painted(value.data), layout({ ...painted(value.layout), height: value.height * scale() }), { responsive: true, displaylogo: false, displayModeBar: false });
    });
    draw(); watch('value', draw); onTheme(element, draw);
  }

  // ---- The live grid: inputs above targets, the same column is the same t -----------------------------------
  function lens(element, props, watch) {
    const root = element.querySelector('.lens');
    let view = null, unknown = new Set(), fold = true, from = 0, pin = null;
    const cells = new Map(), lines = new Map(), head = attrs(el('div', 'line'), { role: 'row' });
    const tiles = el('div', 'tiles'), legend = el('ul', 'legend'), bar = el('div', 'row'), detail = el('p', 'detail');
    const grid = attrs(el('div', 'g'), { role: 'grid', 'aria-label': 'Input and target tensors' });
    const wrap = el('div', 'wrap', grid);
    const button = (text, act) => { const b = el('button', 'ift-btn', text); b.type = 'button'; b.onclick = act; return b; };
    const foldButton = button('Fold the shared opening', () => { fold = !fold; from = 0; draw(); });
    const earlier = button('← earlier', () => { from = Math.max(0, from - WINDOW); draw(); });
    const later = button('later →', () => { from += WINDOW; draw(); });
    const span = el('span', 'muted');
    detail.setAttribute('aria-live', 'polite');
    bar.append(foldButton, earlier, span, later);
    root.append(tiles, legend, bar, wrap, detail);
    for (const [role, name] of ROLE_NAMES.entries()) legend.append(el('li', '', el('i', `sw s${role}`, ROLE_LETTERS[role]), name));
    legend.append(el('li', '', el('i', 'sw m s0', ''), '−100: ignored by the loss'));
    const unknownKey = el('li', '', el('i', 'sw u s0', '?'), 'new to the model');
    legend.append(unknownKey);

    const letter = (row, kind, t) => view[kind === 'input' ? 'input_roles' : 'roles'][row][t];
    const label = (id, role) => role === '6' ? 'pad' : role === '5' ? 'EOS' : view.pieces[id];
    const trained = (row, t) => view.trained[row][t] === '1';

    function opening() { // columns that are the same template text in every row
      if (!fold || !view.rows.length) return 0;
      let t = 0;
      while (t + 1 < view.width && view.rows.every((_, b) => view.input_roles[b][t] === '0' && view.roles[b][t] === '0'
        && view.inputs[b][t] === view.inputs[0][t] && view.next[b][t] === view.next[0][t])) t++;
      return t < 4 ? 0 : t;
    }
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
      if (!node) { node = attrs(el('div', '', el('b'), el('small')), { role: 'gridcell', tabindex: -1 }); if (!key.endsWith('/fold')) node.dataset.key = key; cells.set(key, node); }
      const state = `${className}|${text}|${small}`;
      if (node.state !== state) { node.state = state; node.className = className; node.firstChild.textContent = text; node.lastChild.textContent = small; }
      return node;
    }
    const fill = (parent, nodes) => { // the browser lays out again only what moved
      if (parent.childNodes.length !== nodes.length || nodes.some((node, i) => parent.childNodes[i] !== node)) parent.replaceChildren(...nodes);
    };
    function drawLine(row, kind, at, end, folded) { // a line's nodes stay; only what differs is written
      const name = `${row}/${kind}`;
      const line = lines.get(name) || attrs(el('div', `line ${kind}`, attrs(el('div', 'lab', el('b'), kind), { role: 'rowheader' })), { role: 'row' });
      lines.set(name, line);
      line.firstChild.firstChild.textContent = kind === 'input' ? `row ${view.rows[row]}` : '';
      const nodes = [line.firstChild];
      if (folded) {
        const masked = kind === 'target' && !view.trained[row].slice(0, folded).includes('1');
        nodes.push(cell(`${name}/fold`, `c fold s0${masked ? ' m' : ''}`, masked ? `${folded} × −100` : `${folded} shared`, ''));
      }
      for (let t = at; t < end; t++) {
        const role = letter(row, kind, t), id = view[kind === 'input' ? 'inputs' : 'next'][row][t];
        const masked = kind === 'target' && !trained(row, t), piece = label(id, role);
        const isNew = unknown.has(id) && role < '5';
        const node = cell(`${name}/${t}`, `c s${role}${masked ? ' m' : ''}${isNew ? ' u' : ''}`, masked ? '−100' : piece, masked ? piece : id);
        const spoken = `row ${view.rows[row]}, position ${t}, ${kind} ${masked ? 'minus 100, ignored, was ' : ''}${piece}, id ${id}, ${ROLE_NAMES[role]}${isNew ? ', new to the model' : ''}`;
        if (node.spoken !== spoken) { node.spoken = spoken; node.dataset.id = masked ? -100 : id; node.setAttribute('aria-label', spoken); node.setAttribute('aria-colindex', t + 1); }
        nodes.push(node);
      }
      fill(line, nodes);
      return line;
    }
    function draw() {
      // As text: Gradio wraps every nested value in a reactive proxy, and a grid reads thousands of them.
      const text = props.value && props.value.batch;
      root.classList.toggle('stale', !text);
      if (!text) return;
      view = JSON.parse(text);
      unknown = new Set(view.unknown);
      for (const key of cells.keys()) { const [row, , t] = key.split('/'); if (row >= view.rows.length || t >= view.width) cells.delete(key); }
      let reveal = false;
      const folded = opening();
      if (from >= view.width - folded) from = 0;
      const at = folded + from, end = Math.min(view.width, at + WINDOW);
      const widths = [];
      for (let t = at; t < end; t++) {
        let width = 3;
        for (let row = 0; row < view.rows.length; row++) {
          width = Math.max(width, String(view.next[row][t]).length * .86, String(view.inputs[row][t]).length * .86,
            label(view.inputs[row][t], letter(row, 'input', t)).length, label(view.next[row][t], letter(row, 'target', t)).length, trained(row, t) ? 0 : 4);
        }
        widths.push(`${Math.round(Math.min(width, 11) * 7.9 * scale() + 8)}px`);
      }
      const columns = `max-content ${folded ? `${84 * scale()}px ` : ''}${widths.join(' ')}`;
      if (grid.columns !== columns) { grid.columns = columns; grid.style.gridTemplateColumns = columns; }
      attrs(grid, { 'aria-rowcount': view.rows.length * 2 + 1, 'aria-colcount': view.width });
      const shown = `${folded}/${at}/${end}`;
      if (head.span !== shown) {
        head.span = shown;
        const positions = [...(folded ? [`0–${folded - 1}`] : []), ...Array.from({ length: end - at }, (_, i) => String(at + i))];
        head.replaceChildren(attrs(el('div', 'lab', 'position t'), { role: 'columnheader' }), ...positions.map(text => attrs(el('div', 'pos', text), { role: 'columnheader' })));
      }
      const focused = document.activeElement?.dataset?.key;
      fill(grid, [head, ...view.rows.flatMap((_, row) => [drawLine(row, 'input', at, end, folded), drawLine(row, 'target', at, end, folded)])]);
      if (focused && document.activeElement?.dataset?.key !== focused && grid.contains(cells.get(focused))) cells.get(focused).focus();
      foldButton.setAttribute('aria-pressed', fold);
      earlier.hidden = later.hidden = view.width - folded <= WINDOW;
      earlier.disabled = from === 0; later.disabled = end >= view.width;
      span.textContent = `columns ${at} to ${end - 1} of ${view.width}`;
      unknownKey.hidden = !unknown.size;
      drawTiles();
      if (!pin || !cells.has(`${pin.row}/input/${pin.t}`) || pin.t < at || pin.t >= end) { pin = first(at, end); reveal = true; }
      mark(pin);
      if (reveal && pin) { const cell = cells.get(`${pin.row}/input/${pin.t}`); wrap.scrollLeft = Math.max(0, cell.offsetLeft - wrap.clientWidth * .6); }
      root.dataset.drawn = view.stamp;
    }
    function first(at, end) { // the first target that counts
      for (let row = 0; row < view.rows.length; row++) for (let t = at; t < end; t++) if (trained(row, t)) return { row, t };
      return view.rows.length ? { row: 0, t: at } : null;
    }
    function mark(place) {
      const marks = new Map();
      if (place) {
        for (let k = 0; k < place.t; k++) marks.set(`${place.row}/input/${k}`, 'seen');
        for (const kind of ['input', 'target']) marks.set(`${place.row}/${kind}/${place.t}`, 'on');
      }
      const stop = place && `${place.row}/${place.kind || 'input'}/${place.t}`;
      for (const [key, node] of cells) {
        const wanted = marks.get(key) || '';
        for (const name of ['on', 'seen']) if (node.classList.contains(name) !== (wanted === name)) node.classList.toggle(name);
        if (node.tabIndex !== (key === stop ? 0 : -1)) node.tabIndex = key === stop ? 0 : -1;
      }
      if (!place) { detail.textContent = 'No row trains anything: choose other roles or other rows.'; return; }
      const { row, t } = place;
      const role = letter(row, 'target', t), next = label(view.next[row][t], role), last = label(view.inputs[row][t], letter(row, 'input', t));
      const counts = trained(row, t) ? 'This position counts in the loss.' : 'The target is −100: this position adds nothing to the loss.';
      detail.textContent = t >= view.lengths[row]
        ? `Row ${view.rows[row]}, t = ${t}. Padding: the row ended before. ${counts}`
        : `Row ${view.rows[row]}, t = ${t}. After ${t + 1} token${t ? 's' : ''} ending in “${last}” the model must predict “${next}” (id ${view.next[row][t]}, ${ROLE_NAMES[role]}). ${counts}`;
    }
    const place = node => { const found = node.closest?.('[data-key]'); if (!found) return null; const [row, kind, t] = found.dataset.key.split('/'); return { row: +row, kind, t: +t }; };
    grid.addEventListener('mouseover', event => { const at = place(event.target); if (at) mark(at); });
    grid.addEventListener('mouseleave', () => mark(pin));
    grid.addEventListener('focusin', event => { const at = place(event.target); if (at) { pin = at; mark(at); } });
    grid.addEventListener('click', event => place(event.target) && event.target.closest('[data-key]').focus());
    grid.addEventListener('keydown', event => {
      const at = place(event.target);
      if (!at) return;
      const lines = view.rows.flatMap((_, row) => [[row, 'input'], [row, 'target']]);
      const line = at.row * 2 + (at.kind === 'target');
      const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e6], End: [0, 1e6] }[event.key];
      if (!move) return;
      event.preventDefault();
      const [row, kind] = lines[Math.min(lines.length - 1, Math.max(0, line + move[0]))];
      const shown = [...grid.querySelectorAll('[data-key]')].map(node => +node.dataset.key.split('/')[2]);
      const t = Math.min(Math.max(...shown), Math.max(Math.min(...shown), at.t + move[1]));
      cells.get(`${row}/${kind}/${t}`)?.focus();
    });
    draw(); watch('value', draw); onTheme(element, draw);
  }

  // ---- A run: pulls what is new from its event file; reload, second tab and tab switches lose nothing ---------
  function smooth(values, weight = .9) { // exponential mean, without the pull to its start
    let mean = 0, total = 0;
    return values.map(value => { mean = weight * mean + (1 - weight) * value; total = weight * total + 1 - weight; return mean / total; });
  }
  const STATES = { starting: ['acc', '▶ starting'], running: ['acc', '▶ running'], stopped: ['warn', '! stopped'], failed: ['bad', '✗ failed'], finished: ['good', '✓ finished'] };
  function duration(seconds) {
    const s = Math.max(0, Math.round(seconds));
    return s < 90 ? `${s} seconds` : s < 5400 ? `${Math.round(s / 60)} minutes` : `${(s / 3600).toFixed(1)} hours`;
  }
  function puller(element, props, watch, { ask, reset, take }) {
    let run = null, offset = 0, busy = false, over = false;
    let ticks = 0, turn = {};
    const poll = async () => {
      if (!element.isConnected) { clearInterval(timer); return; }
      if (busy || document.hidden || (over && ++ticks % 4)) return; // what is over is asked now and then: who is busy?
      busy = true;
      const asked = turn;
      try {
        const reply = await ask({ run, offset });
        if (asked !== turn) return;
        if (reply.offset < offset) { offset = 0; reset(run); return; } // the file was begun anew
        offset = reply.offset;
        over = reply.over;
        take(reply);
      } catch (error) { console.info('no answer from the server, asking again', error); } finally { busy = false; }
    };
    const follow = () => {
      const value = props.value || {};
      if (value.run === run && value.again === undefined) return;
      run = value.run || null; offset = 0; over = false; busy = false; turn = {};
      reset(run); poll();
    };
    const timer = setInterval(poll, 500);
    follow(); watch('value', follow);
  }

  // Python hears when a state or who is busy differs: every button on the page may depend on it.
  function teller(changed) {
    let last = '';
    return reply => { const now = `${reply.run}|${reply.state}|${reply.busy}`; if (now !== last) { last = now; changed({ state: reply.state }); } };
  }

  function run(element, props, watch, changed, server) {
    const root = element.querySelector('.run');
    let d, chosen = null, logScale = true, held = false;
    const fresh = () => ({ steps: [], evaluations: [], samples: {}, warnings: [], end: '', machine: '', error: null, saved: '' });
    const status = attrs(el('div', 'card'), { role: 'region', 'aria-label': 'State of the run' }), tilesBox = el('div', 'tiles'), card = el('div', 'card'), samples = el('div', 'card');
    const host = attrs(el('div', 'plot'), { role: 'group', 'aria-label': 'Training and validation loss by step' });
    const summary = el('p', 'sum'), table = el('details'), scale = el('button', 'ift-btn', 'Log scale');
    scale.type = 'button';
    scale.onclick = () => { logScale = !logScale; drawChart(); };
    card.append(el('div', 'row sp', el('h2', '', 'Loss, nats a trained token'), scale), host, summary, table);
    root.append(status, tilesBox, card, samples);
    host.addEventListener('mousedown', () => { held = true; }, true);
    const release = () => { if (!element.isConnected) removeEventListener('mouseup', release, true); else if (held) { held = false; setTimeout(drawChart); } };
    addEventListener('mouseup', release, true);

    function drawStatus(reply) {
      const [kind, text] = STATES[reply.state] || ['', 'no run'];
      const last = d.steps.at(-1), total = last?.total_steps || d.evaluations.at(-1)?.total_steps || 0, done = last?.step || 0;
      const rows = [el('div', 'row', el('span', `chip ${kind}`, text), el('b', '', total ? `Step ${done} of ${total}` : 'No step yet'), el('span', 'mono', reply.run))];
      if (total) {
        const fill = el('i');
        fill.style.width = `${100 * done / total}%`;
        rows.push(attrs(el('div', 'prog', fill), { role: 'progressbar', 'aria-valuenow': done, 'aria-valuemax': total, 'aria-label': 'Steps done' }));
      }
      const words = [];
      if (reply.state === 'starting' || (reply.state === 'running' && !d.evaluations.length && !last)) words.push('Loading the model.', reply.said.slice(-120));
      else if (reply.state === 'running' && done) {
        const before = d.steps[0], per = (last.time_s - before.time_s) / Math.max(1, done - before.step);
        if (done > before.step) words.push(`About ${duration(per * (total - done))} left.`);
        words.push( `${duration(last.time_s)} so far.`, `Epoch ${last.epoch.toFixed(2)}.`);
      } else if (done) words.push(`${duration(last.time_s)} of training.`);
      if (d.machine) words.push(d.machine);
      if (d.saved) words.push(`Last saved: ${d.saved}.`);
      if (d.end) words.push(d.end);
      rows.push(el('p', 'muted', words.join(' ')));
      for (const warning of d.warnings) rows.push(el('p', 'muted', el('span', 'chip warn', '! note'), ' ', warning));
      if (d.error) {
        const list = el('dl');
        for (const [name, part] of [['Where', d.error.where], ['Fix', d.error.fix]]) if (part) list.append(el('dt', '', name), el('dd', '', part));
        rows.push(el('div', 'msg', el('h3', '', d.error.what), list));
      }
      status.replaceChildren(...rows.map(node => { node.style.marginTop = '6px'; return node; }));
    }
    function drawTiles() {
      const last = d.steps.at(-1), evaluation = d.evaluations.at(-1);
      tilesBox.hidden = !last;
      if (!last) return;
      const recent = d.steps.slice(-20), speed = recent.reduce((n, s) => n + s.tokens, 0) / recent.reduce((n, s) => n + s.step_time_s, 0);
      tilesBox.replaceChildren(
        tile(smooth(d.steps.map(s => s.loss)).at(-1).toPrecision(3), 'training loss, smoothed (nats a token)'),
        ...(evaluation ? [tile(evaluation.loss.toPrecision(3), `validation loss at step ${evaluation.step} (was ${d.evaluations[0].loss.toPrecision(3)})`)] : []),
        tile(count(Math.round(speed)), 'tokens a second, padding not counted'),
        tile(last.learning_rate < 1e-4 ? last.learning_rate.toExponential(1) : last.learning_rate.toPrecision(2), 'learning rate'),
        tile(last.grad_norm.toPrecision(3), 'gradient norm, before clipping'));
    }
    const drawChart = withPlotly(() => {
      card.hidden = !d.steps.length && !d.evaluations.length;
      if (card.hidden || held) return; // a redraw would end the zoom that a held mouse is drawing
      scale.setAttribute('aria-pressed', logScale);
      const x = d.steps.map(s => s.step), y = d.steps.map(s => s.loss), total = d.evaluations[0]?.total_steps || d.steps[0].total_steps;
      const traces = [
        { x, y, name: 'training, each step', mode: 'lines', line: { color: color('--acc'), width: 1 }, opacity: .45 },
        { x, y: smooth(y), name: 'training, smoothed', mode: 'lines', line: { color: color('--acc'), width: 3 }, hoverinfo: 'skip' },
        { x: d.evaluations.map(e => e.step), y: d.evaluations.map(e => e.loss), name: 'validation', mode: 'lines+markers', line: { color: color('--ink'), width: 2, dash: 'dash' }, marker: { size: 9, color: color('--page'), line: { color: color('--ink'), width: 2 } } },
      ];
      const shapes = chosen === null ? [] : [{ type: 'line', xref: 'x', yref: 'paper', x0: chosen, x1: chosen, y0: 0, y1: 1, line: { color: color('--focus'), width: 2 } }];
      Plotly.react(host, traces, layout({ uirevision: `${d.run}${logScale}`, shapes, xaxis: { title: { text: 'step' }, range: [-.01 * total, 1.02 * total] }, yaxis: { title: { text: 'loss' }, type: logScale ? 'log' : 'linear', ...(logScale ? { tickvals: TICKS, ticktext: TICKS.map(String) } : { rangemode: 'tozero' }) } }), { responsive: true, displaylogo: false });
      if (!host.listening) {
        host.listening = true;
        host.on('plotly_click', event => { const point = event.points.find(p => p.curveNumber === 2) || event.points[0]; choose(nearest(point.x)); });
      }
      const [first, last] = [d.evaluations[0], d.evaluations.at(-1)];
      summary.textContent = d.evaluations.length > 1 ? `Validation loss went from ${first.loss.toPrecision(3)} at step ${first.step} to ${last.loss.toPrecision(3)} at step ${last.step}.` : 'The first points.';
      const body = el('tbody');
      for (const e of d.evaluations) body.append(el('tr', '', el('td', 'n', String(e.step)), el('td', 'n', e.loss.toPrecision(4)), el('td', '', Object.entries(e.loss_by_role).map(([role, loss]) => `${role} ${loss.toPrecision(3)}`).join(', '))));
      const headRow = el('tr', '', el('th', 'n', 'Step'), el('th', 'n', 'Validation loss'), el('th', '', 'By role of the target'));
      if (table.rows === d.evaluations.length) return; // nothing new to list
      table.rows = d.evaluations.length;
      const open = table.open;
      table.replaceChildren(el('summary', '', 'Values as a table'), scroll('Evaluations', el('table', '', el('thead', '', headRow), body)));
      table.open = open;
    });
    const steps = () => Object.keys(d.samples).map(Number).sort((a, b) => a - b);
    const nearest = step => steps().reduce((best, s) => Math.abs(s - step) < Math.abs(best - step) ? s : best, steps()[0] ?? null);
    function choose(step) { chosen = step; drawChart(); drawSamples(); }
    function drawSamples() {
      const all = steps();
      samples.hidden = !all.length;
      if (!all.length) return;
      const at = chosen === null ? all.at(-1) : chosen;
      const slider = attrs(el('input'), { type: 'range', min: 0, max: all.length - 1, 'aria-label': 'Evaluation to show' });
      slider.value = all.indexOf(at);
      slider.oninput = () => { choose(all[slider.value]); samples.querySelector('input').focus(); };
      const body = el('tbody');
      for (const s of d.samples[at]) {
        const good = s.model_response.trim() === s.output.trim();
        const end = { eos: 'stopped by itself', stop: 'ended as the template does', length: '! cut' }[s.finish];
        body.append(el('tr', '', el('td', '', el('b', '', s.instruction), ...(s.input ? [el('br'), s.input] : [])), el('td', '', s.output),
          el('td', 'pre', el('span', `chip ${good ? 'good' : 'bad'}`, good ? '✓ exact' : '✗ other'), ` ${s.model_response.trim()} `, el('span', 'muted', end))));
      }
      const headRow = el('tr', '', el('th', '', 'Prompt'), el('th', '', 'Expected'), el('th', '', 'Answer'));
      samples.replaceChildren(el('div', 'row sp', el('h2', '', `What the model says at step ${at}`), el('label', 'row', 'Scrub', slider)),
        scroll('Sampled answers', el('table', '', el('caption', '', 'Fixed validation prompts, answered greedily at each evaluation. Choose a validation marker in the chart to see what the model said then.'), el('thead', '', headRow), body)));
    }
    const tell = teller(changed);
    puller(element, props, watch, {
      ask: query => server.poll_training(query),
      reset: id => { if (host.data) { Plotly.purge(host); host.listening = false; } d = fresh(); d.run = id; chosen = null; table.rows = 0; root.hidden = !id; status.replaceChildren(); tilesBox.hidden = card.hidden = samples.hidden = true; },
      take: reply => {
        tell(reply);
        if (reply.state === 'unknown') { root.hidden = true; return; }
        root.hidden = false;
        d.steps.push(...reply.steps); d.evaluations.push(...reply.evaluations); d.warnings.push(...reply.warnings);
        for (const sample of reply.samples) (d.samples[sample.step] ||= []).push(sample);
        d.end = reply.end || d.end;
        d.machine = reply.machine || d.machine;
        d.error = reply.error || d.error;
        d.saved = reply.saved || d.saved;
        drawStatus(reply);
        if (reply.steps.length || reply.evaluations.length) { drawTiles(); drawChart(); }
        if (reply.samples.length) drawSamples();
      },
    });
    onTheme(element, () => { if (d) drawChart(); });
  }

  // ---- Answering the held-out records ------------------------------------------------------------------------
  function evaluation(element, props, watch, changed, server) {
    const root = element.querySelector('.evaluation');
    const tell = teller(changed);
    puller(element, props, watch, {
      ask: query => server.poll_evaluation(query),
      reset: () => root.replaceChildren(),
      take: reply => {
        const rows = [];
        if (reply.state === 'running' || reply.state === 'starting') {
          const fill = el('i');
          fill.style.width = `${reply.total ? 100 * reply.done / reply.total : 0}%`;
          rows.push(el('div', 'row', el('span', 'chip acc', '▶ busy'), el('b', '', reply.total ? `“${reply.side}”: ${count(reply.done)} of ${count(reply.total)} records` : 'Loading the models')),
            attrs(el('div', 'prog', fill), { role: 'progressbar', 'aria-valuenow': reply.done, 'aria-valuemax': reply.total, 'aria-label': 'Records answered' }));
        }
        if (reply.state === 'stopped') rows.push(el('p', '', el('span', 'chip warn', '! stopped'), ' The answers were not collected to the end. Start again.'));
        if (reply.error) rows.push(el('div', 'msg', el('h3', '', reply.error.what), el('p', 'muted', [reply.error.where, reply.error.fix].filter(Boolean).join(' — '))));
        root.replaceChildren(...rows);
        tell(reply);
      },
    });
  }

  return { header, lens, figure, run, evaluation };
})();
