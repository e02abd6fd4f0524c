// Each key in the template asks the server for the batch anew, by itself: Gradio's own events would first read the
// state of every widget. What decides the batch beside the template the server knows by the stamp of the last one.
window.ift.keys = (server, { lost, renamed }, take) => {
  const SETTLED = 100; // milliseconds in which a text that came with a batch is in the box
  const find = selector => document.querySelector(selector);
  let stamp = null, preset = null, busy = false, again = false, said = '';
  async function ask(box) {
    if (busy) { again = true; return; }
    busy = true; again = false;
    const about = stamp;
    const value = about && await server.lens_typed({ stamp: about, template: box.value }).catch(error => { console.info('no answer from the server', error); return null; });
    busy = false;
    if (about !== stamp) again = true; // the switches have changed meanwhile
    else if (!value) lost(); // all is drawn by Gradio, which also says when the server is gone
    else { accept(value); take(value); }
    if (again) ask(box);
  }
  function accept(value) {
    say(value.message);
    if (!value.stamp) return; // a file that could not be read: only its message is new
    stamp = value.stamp;
    if (value.preset !== preset) { preset = value.preset; renamed(); }
  }
  async function say(html) {
    said = html;
    const place = await window.ift.until(() => find('#template-message .said'));
    if (said === html && place.text !== html) { place.text = html; place.innerHTML = html; } // escaped by the server (playground/views/html.py)
  }
  const key = event => {
    if (!find('#lens')) removeEventListener('input', key);
    else if (event.target.matches?.('#template textarea')) ask(event.target);
  };
  addEventListener('input', key);
  return {
    accept(value) { // by one of Gradio's events; a key that came while it was under way is not in it
      accept(value);
      setTimeout(() => { const box = find('#template textarea'); if (box && value.stamp === stamp && box.value !== value.template) ask(box); }, SETTLED);
    },
  };
};
