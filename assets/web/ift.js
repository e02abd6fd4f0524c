// The page's own components: header, figure, run, evaluation (the live grid is in lens.js). Data reaches the page only as textContent.
window.ift = (() => {
  const TICKS = [.001, .003, .01, .03, .1, .3, 1, 3, 10]; // of a logarithmic loss axis

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
    window.ift.link.open();
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
      legend: { orientation: 'h', yanchor: 'bottom', y: 1.02, x: 0 }, xaxis: axis(xaxis), yaxis: axis(yaxis), ...rest,
    };
  }
  // Plotly's script is large and comes later than the page, even than its load event: who is early draws when it is there.
  const withPlotly = draw => () => { if (window.Plotly) draw(); else until(() => window.Plotly).then(() => draw()); };
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
    const SOONEST = 500, LATEST = 4000, IDLE = 2000; // milliseconds between two questions; what is over is asked too: who is busy?
    const PACE = 100; // the run may have the same processor: our drawing takes one part in so many of the time
    let run = null, offset = 0, over = false, cost = 0, timer = 0, turn = {}, unanswered = 0;
    const gone = attrs(el('p', 'msg warn', 'The server does not answer: what stands here is what it said last. A run saves and stops when its server ends.'), { role: 'status' });
    gone.hidden = true;
    element.prepend(el('div', 'ift', gone));
    const poll = async () => {
      const asked = turn;
      try {
        const reply = await ask({ run, offset });
        if (!reply) throw new Error('Gradio gives nothing where a question failed');
        unanswered = 0; gone.hidden = true;
        if (asked !== turn) return;
        if (reply.offset < offset) { offset = 0; reset(run); return; } // the file was begun anew
        offset = reply.offset;
        over = reply.over;
        const began = performance.now();
        take(reply);
        cost = performance.now() - began;
      } catch (error) {
        console.info('no answer from the server, asking again', error);
        gone.hidden = ++unanswered < 2; // one may get lost
      }
    };
    const next = async () => {
      if (!element.isConnected) return;
      clearTimeout(timer);
      const mine = turn;
      if (!document.hidden) await poll();
      if (mine === turn) timer = setTimeout(next, over ? IDLE : Math.min(LATEST, Math.max(SOONEST, PACE * cost)));
    };
    const follow = () => {
      const value = props.value || {};
      if (value.run === run && value.again === undefined) return;
      run = value.run || null; offset = 0; over = false; cost = 0; turn = {};
      reset(run); next();
    };
    follow(); watch('value', follow);
    if (!run) { reset(run); next(); } // who is busy?
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
    function goBack(step) { // the run went on from there: what it did beyond, it does again
      d.steps = d.steps.filter(s => s.step <= step);
      d.evaluations = d.evaluations.filter(e => e.step <= step);
      for (const key of Object.keys(d.samples)) if (key > step) delete d.samples[key];
      if (chosen > step) chosen = null;
      table.rows = 0;
    }
    const tell = teller(changed);
    puller(element, props, watch, {
      ask: query => server.poll_training(query),
      reset: id => { if (host.data) { Plotly.purge(host); host.listening = false; } d = fresh(); d.run = id; chosen = null; table.rows = 0; root.hidden = !id; status.replaceChildren(); tilesBox.hidden = card.hidden = samples.hidden = true; },
      take: reply => {
        tell(reply);
        if (reply.state === 'unknown') { root.hidden = true; return; }
        root.hidden = false;
        if (!reply.over) { d.end = ''; d.error = null; }
        if (reply.resumed !== null) goBack(reply.resumed);
        d.steps.push(...reply.steps); d.warnings.push(...reply.warnings);
        for (const one of reply.evaluations) d.evaluations = [...d.evaluations.filter(e => e.step !== one.step), one];
        for (const one of reply.samples) d.samples[one.step] = [...(d.samples[one.step] || []).filter(s => s.record !== one.record), one];
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

  async function until(find) { // Gradio mounts what it likes first
    for (;;) { const found = find(); if (found) return found; await new Promise(done => setTimeout(done, 30)); }
  }

  return { header, figure, run, evaluation, until, parts: { el, attrs, percent, count, tile, scale, onTheme } };
})();
