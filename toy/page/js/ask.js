// What both networks say of the place that was asked for: read off the grids.
let asked = null;

const minus = text => text.replace(/-/g, "−");
const fixed = (v, digits) => minus(v.toFixed(digits));
function percent(p) {
  if (p > 0.99995) return "> 99.99 %";
  return fixed(100 * p, p > 0.999 ? 2 : 1) + " %";
}

// likelier is the share of the held-out points whose log p(x) is less than a value, in percent.
function likelier(value) {
  let lo = 0, hi = heldOut.length;
  while (lo < hi) { const m = (lo + hi) >> 1; if (heldOut[m] < value) lo = m + 1; else hi = m; }
  return 100 * lo / Math.max(1, heldOut.length);
}

function says(p, u, v) {
  const all = p.map(f => valueAt(f, u, v));
  const best = all.indexOf(Math.max(...all));
  return {class: best, confidence: all[best]};
}

function answer(x, y) {
  const [x0, x1, y0, y1] = result.window, u = (x - x0) / (x1 - x0), v = (y - y0) / (y1 - y0);
  const logp = valueAt(density, u, v);
  return {jem: says(verdicts.jem, u, v), twin: says(verdicts.twin, u, v), logp, likelier: likelier(logp)};
}

const byId = id => document.getElementById(id);

function show(who, said) {
  byId(who + "-class").textContent = result.classes[said.class];
  byId(who + "-key").className = `key key-${said.class % look().classes.length} shape-${said.class % 4}`;
  byId(who + "-confidence").textContent = percent(said.confidence);
  byId(who + "-bar").style.width = 100 * said.confidence + "%";
}

function sentence(a) {
  const part = a.likelier;
  if (!heldOut.length) return "";
  if (part === 0) return "Less likely than every held-out point: whatever the class, p(x) says that this is no place for data.";
  if (part < 5) return `Only ${fixed(part, 1)} % of the held-out points are less likely: p(x) doubts that data lie here.`;
  return `More likely than ${fixed(part, 0)} % of the held-out points: p(x) takes this for data.`;
}

// digits behind the point of a coordinate: to a thousandth of the window or so.
const digits = Math.max(0, Math.min(100, Math.ceil(2 - Math.log10(result.window[1] - result.window[0]))));

// ask moves the question to a place, as far as the window goes.
function ask(x, y) {
  const [x0, x1, y0, y1] = result.window, within = (v, lo, hi) => Math.max(lo, Math.min(hi, v));
  asked = {x: within(x, x0, x1), y: within(y, y0, y1)};
  const a = answer(asked.x, asked.y);
  show("jem", a.jem);
  show("twin", a.twin);
  byId("logp").textContent = fixed(a.logp, 2);
  byId("sentence").textContent = sentence(a);
  for (const k of ["x", "y"]) {
    const input = byId("ask-" + k);
    if (document.activeElement === input) continue;
    input.value = asked[k].toFixed(digits);
    input.style.width = Math.min(12, Math.max(5.2, 0.65 * input.value.length + 2)) + "em";
  }
  maps.forEach(m => m.asks && m.paint());
}

// listen lets a map be asked by mouse, finger and keys.
function listen(map) {
  map.asks = true;
  const canvas = map.canvas, [x0, x1, y0, y1] = result.window;
  const to = e => {
    const r = canvas.getBoundingClientRect();
    ask(x0 + (e.clientX - r.left) / r.width * (x1 - x0), y1 - (e.clientY - r.top) / r.height * (y1 - y0));
  };
  canvas.addEventListener("pointerdown", e => { if (e.pointerType === "mouse") canvas.setPointerCapture(e.pointerId); to(e); });
  canvas.addEventListener("pointermove", e => { if (e.buttons && e.pointerType === "mouse") to(e); });
  canvas.addEventListener("keydown", e => {
    const by = e.shiftKey ? 10 : 1, [dx, dy] = {ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by]}[e.key] || [0, 0];
    if (!dx && !dy) return;
    e.preventDefault();
    ask(asked.x + dx * (x1 - x0) / 100, asked.y + dy * (y1 - y0) / 100);
  });
}
