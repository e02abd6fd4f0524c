// A link that restores the view: its fragment holds base64url of JSON, which the server checks (playground/lens/state.py).
window.ift.link = (() => {
  const HIDES = ['editor', 'switches', 'code']; // what a class need not see
  const text = () => location.hash.match(/^#view=([\w-]+)$/)?.[1] || '';
  function read() {
    try {
      const bytes = Uint8Array.from(atob(text().replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
      const said = JSON.parse(new TextDecoder().decode(bytes));
      return said && typeof said === 'object' ? said : {};
    } catch { return {}; } // the server says what is wrong with it
  }
  const said = read();
  const OWN = ['step', 'fold', 'pin', 'hide']; // what the page itself restores; the rest comes back from the server
  const restored = found => Object.keys({ ...found, ...said }).every(name => OWN.includes(name) || found[name] === said[name]);
  let state = {};
  function make(hide = []) {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...state, ...(hide.length ? { hide } : {}) }));
    const code = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    return `${location.origin}${location.pathname}#view=${code}`;
  }
  function open() { // what a link leads to is on the second tab
    for (const name of HIDES) document.body.classList.toggle(`hide-${name}`, Array.isArray(said.hide) && said.hide.includes(name));
    if (text()) window.ift.until(() => [...document.querySelectorAll('[role=tab]')].find(tab => tab.textContent.trim().startsWith('2 '))).then(tab => tab.click());
  }
  addEventListener('hashchange', () => { if (text()) location.reload(); });
  return { HIDES, text, said, restored, make, open, keep: found => { state = found; } };
})();
