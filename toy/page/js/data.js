// What the page was written with. Numbers lie in it as base64 of float32, or of 16 bits between two
// bounds, of which the largest stands for what is no number.
const result = JSON.parse(document.getElementById("result").textContent);

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

function numbers(coded) {
  const view = new DataView(bytes(coded.v).buffer);
  if (!coded.bits) return Float32Array.from({length: view.byteLength / 4}, (_, i) => view.getFloat32(4 * i, true));
  const scale = (coded.hi - coded.lo) / 65534;
  return Float64Array.from({length: view.byteLength / 2}, (_, i) => {
    const q = view.getUint16(2 * i, true);
    return q === 65535 ? NaN : coded.lo + q * scale;
  });
}

const field = g => ({w: g.w, h: g.h, v: numbers(g)});

const density = field(result.density);
const verdicts = {jem: result.jem.map(field), twin: result.twin.map(field)};
const truth = result.truth && field(result.truth);
const snapshots = (result.snapshots || []).map(s => ({step: s.step, levels: s.levels, field: field(s.grid)}));
const inWindow = (u, i) => { const [lo, hi] = result.window.slice(2 * (i % 2)); return lo + u * (hi - lo); }; // of x and y in turn
const chains = result.chains && {...result.chains, at: numbers(result.chains.at).map(inWindow)};
const points = {x: numbers(result.points.x), y: numbers(result.points.y), class: result.points.class};
const heldOut = numbers(result.heldOut);

// Colours, light and dark: ramps are lists of RGBA as 32 bits.
const packed = text => {
  const b = bytes(text), out = new Uint32Array(b.length / 3), p = new DataView(out.buffer);
  for (let i = 0; i < out.length; i++)
    for (let k = 0; k < 4; k++) p.setUint8(4 * i + k, k < 3 ? b[3 * i + k] : 255);
  return out;
};
const looks = {};
for (const [name, l] of Object.entries(result.looks))
  looks[name] = {...l, ramp: packed(l.ramp), regions: l.regions.map(packed)};

const wantsDark = matchMedia("(prefers-color-scheme: dark)");
const wantsStill = matchMedia("(prefers-reduced-motion: reduce)");
let printing = false;
const look = () => looks[wantsDark.matches && !printing ? "dark" : "light"];
