// Beside the template's box: placeholders in their roles' colours, the template as a file, the view as a link.
window.ift.editor = async element => {
  const { el, attrs, onTheme } = window.ift.parts;
  const TAG = /(\{\{[#^/]?[ \t]*\w+[ \t]*\}\})/;
  const ROLE_OF = { instruction: 1, input: 2, output: 4 };
  const root = element.querySelector('.editor'), box = await window.ift.until(() => document.querySelector('#template textarea'));

  // ---- Colours: the same text behind the box, whose own background is clear -----------------------------------
  const behind = attrs(el('pre', 'ift behind'), { 'aria-hidden': 'true' });
  box.parentElement.classList.add('coloured');
  box.before(behind);
  let shown = null;
  function paint() {
    if (!box.isConnected) { clearInterval(timer); return; }
    behind.scrollTop = box.scrollTop;
    const size = `${box.clientWidth}×${box.clientHeight}`;
    if (behind.size !== size) {
      behind.size = size;
      const { font, lineHeight, padding, letterSpacing, tabSize } = getComputedStyle(box);
      Object.assign(behind.style, { font, lineHeight, padding, letterSpacing, tabSize, width: `${box.clientWidth}px`, height: `${box.clientHeight}px`, left: `${box.offsetLeft + box.clientLeft}px`, top: `${box.offsetTop + box.clientTop}px` });
    }
    if (box.value === shown) return;
    shown = box.value;
    behind.replaceChildren(...shown.split(TAG).map((part, i) => {
      const name = i % 2 ? part.match(/\w+/)[0] : '';
      return name in ROLE_OF ? el('mark', `s${ROLE_OF[name]}`, part) : document.createTextNode(part);
    }), '\n');
  }
  for (const event of ['input', 'scroll']) box.addEventListener(event, paint);
  const timer = setInterval(paint, 250); // presets, files and links fill the box without an event
  onTheme(element, () => { behind.size = ''; paint(); }); // the projector's type is larger
  paint();

  // ---- File and link ----------------------------------------------------------------------------------------
  const button = (text, act) => { const b = el('button', 'ift-btn', text); b.type = 'button'; b.onclick = act; return b; };
  const status = attrs(el('span', 'muted'), { role: 'status' });
  const address = attrs(el('input'), { readonly: '', 'aria-label': 'The link' });
  address.hidden = true;
  function save() {
    const a = el('a');
    a.href = URL.createObjectURL(new Blob([`${box.value}\n`], { type: 'text/plain' })); // the last line break is not template
    a.download = 'template.txt';
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 1000);
  }
  const hides = window.ift.link.HIDES.map(name => { const tick = attrs(el('input'), { type: 'checkbox', name }); return [name, tick, el('label', '', tick, ` without the ${name}`)]; });
  async function copy() {
    address.value = window.ift.link.make(hides.filter(([, tick]) => tick.checked).map(([name]) => name));
    address.hidden = false;
    address.select();
    try { await navigator.clipboard.writeText(address.value); status.textContent = 'Copied.'; } catch { status.textContent = 'Copy it from the box.'; }
  }
  root.append(button('Save as a file', save), el('details', 'share', el('summary', '', 'Share a link'),
    el('p', 'muted', 'It restores template, rows, switches, step and position. For a class, leave out what would distract:'),
    ...hides.map(([, , label]) => label), button('Copy the link', copy), status, address));
};
window.ift.loaded = true; // the last of the page's scripts, see playground/launch.py
