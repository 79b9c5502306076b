// SVG drawings: how log p(x) is distributed, how it grows along chains.

const space = 'http://www.w3.org/2000/svg';

/** svg makes an element. */
export function svg(name, attributes, ...children) {
  const e = document.createElementNS(space, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

/** ticks are some five round numbers within a range. */
export function ticks(lo, hi, about = 5) {
  const raw = (hi - lo) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find(m => m * power >= raw) || 10);
  const all = [];
  for (let i = Math.ceil(lo / step); i * step <= hi; i++) all.push(Math.abs(i * step) < step / 1e6 ? 0 : i * step);
  return all;
}

const label = v => String(Number(v.toPrecision(6))).replace('-', '−');

/** canvasFor is a drawing that is as wide as its place now, and a place within it for what is drawn. */
function canvasFor(place, height, margins) {
  const width = Math.max(260, Math.round(place.clientWidth || 600));
  const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' });
  return { root, left: margins[3], top: margins[0], right: width - margins[1], bottom: height - margins[2] };
}

/** path is the outline of a histogram. */
function outline(shares, x, y, low, width) {
  let d = `M${x(low)} ${y(0)}`;
  shares.forEach((s, i) => { d += `V${y(s).toFixed(1)}H${x(low + (i + 1) * width).toFixed(1)}`; });
  return d + `V${y(0)}`;
}

/**
 * histogram draws the distributions and marks where a picture lies.
 * threshold is the rule's where that is of log p(x), else null.
 */
export function histogram(place, h, here, threshold) {
  const c = canvasFor(place, 250, [34, 12, 40, 12]);
  const high = h.low + h.width * h.sets[0].shares.length;
  const margin = 0.03 * (high - h.low);
  let lo = h.low - margin, hi = high + margin;
  // A picture far out is shown where it is, if that leaves the sets room to be seen.
  if (here < lo && lo - here < 0.8 * (hi - lo)) lo = here - margin;
  if (here > hi && here - hi < 0.8 * (hi - lo)) hi = here + margin;
  const x = v => c.left + (c.right - c.left) * (Math.min(hi, Math.max(lo, v)) - lo) / (hi - lo);
  const most = Math.max(...h.sets.flatMap(s => s.shares));
  const y = s => c.bottom - (c.bottom - c.top) * s / most;
  h.sets.forEach((s, i) => {
    const d = outline(s.shares, x, y, h.low, h.width);
    c.root.append(svg('path', { d, class: `area f${i % 5}` }), svg('path', { d, class: `line l${i % 5}` }));
  });
  c.root.append(svg('path', { class: 'axis', d: `M${c.left} ${c.bottom}H${c.right}` }));
  for (const t of ticks(lo, hi, c.right > 500 ? 8 : 4)) {
    c.root.append(svg('path', { class: 'axis', d: `M${x(t)} ${c.bottom}v5` }), svg('text', { x: x(t), y: c.bottom + 19, 'text-anchor': 'middle' }, label(t)));
  }
  c.root.append(svg('text', { x: (c.left + c.right) / 2, y: c.bottom + 36, 'text-anchor': 'middle' }, 'log p(x) + log Z'));
  if (threshold !== null && threshold > lo && threshold < hi) {
    // Beside the line where the picture's own is not.
    const left = here === null || here > threshold;
    c.root.append(svg('path', { class: 'threshold', d: `M${x(threshold)} ${c.top}V${c.bottom}` }),
      svg('text', { class: 'threshold-flag', x: x(threshold) + (left ? -6 : 6), y: c.top + 9, 'text-anchor': left ? 'end' : 'start' }, left ? '← unusual' : 'not unusual →'));
  }
  if (here !== null) {
    const out = here < lo ? '← ' : here > hi ? ' →' : '';
    const at = x(here), anchor = at < c.left + 60 ? 'start' : at > c.right - 60 ? 'end' : 'middle';
    const text = out === '← ' ? out + 'this picture, ' + label(Math.round(here)) : out ? 'this picture, ' + label(Math.round(here)) + out : 'this picture';
    c.root.append(svg('path', { class: 'here', d: `M${at} ${c.top - 8}V${c.bottom}` }), svg('text', { class: 'flag', x: at, y: c.top - 15, 'text-anchor': anchor }, text));
  }
  place.replaceChildren(c.root);
  return c.root;
}

/** key is a line of the legend for set i. */
export function key(i, text) {
  const li = document.createElement('li');
  li.append(svg('svg', { viewBox: '0 0 30 12', 'aria-hidden': 'true' }, svg('rect', { x: 0, y: 0, width: 30, height: 12, class: `area f${i % 5}` }), svg('path', { d: 'M0 6H30', class: `line l${i % 5}` })), text);
  return li;
}

/** middle is where the central 90 % of a distribution lie. */
export function middle(h) {
  const edge = share => {
    let sum = 0;
    const shares = h.sets[0].shares;
    for (let i = 0; i < shares.length; i++) {
      if (sum + shares[i] >= share) return h.low + h.width * (i + (share - sum) / shares[i]);
      sum += shares[i];
    }
    return h.low + h.width * shares.length;
  };
  return [edge(0.05), edge(0.95)];
}

/** paths draws log p(x) of chains by step: rows are [step, values]; band is where held-out images lie, or null. */
export function paths(place, rows, steps, band) {
  const c = canvasFor(place, 170, [10, 12, 38, 48]);
  const values = rows.flatMap(r => r[1]).concat(band || []);
  let lo = Math.min(...values), hi = Math.max(...values);
  if (hi - lo < 1e-6) { lo -= 1; hi += 1; }
  const margin = 0.06 * (hi - lo);
  lo -= margin; hi += margin;
  const x = s => c.left + (c.right - c.left) * s / Math.max(1, steps);
  const y = v => c.bottom - (c.bottom - c.top) * (v - lo) / (hi - lo);
  if (band) {
    c.root.append(svg('rect', { class: 'band', x: c.left, width: c.right - c.left, y: y(band[1]), height: Math.max(1, y(band[0]) - y(band[1])) }));
  }
  for (const t of ticks(lo, hi, 4)) c.root.append(svg('path', { class: 'axis', d: `M${c.left} ${y(t)}H${c.right}` }), svg('text', { x: c.left - 7, y: y(t) + 4, 'text-anchor': 'end' }, label(t)));
  for (const t of ticks(0, steps, c.right > 500 ? 8 : 4)) c.root.append(svg('text', { x: x(t), y: c.bottom + 17, 'text-anchor': 'middle' }, label(t)));
  c.root.append(svg('text', { x: (c.left + c.right) / 2, y: c.bottom + 33, 'text-anchor': 'middle' }, 'SGLD steps'));
  for (let i = 0; i < (rows[0]?.[1].length || 0); i++) {
    c.root.append(svg('path', { class: 'path', d: 'M' + rows.map(r => `${x(r[0]).toFixed(1)} ${y(r[1][i]).toFixed(1)}`).join('L') }));
  }
  c.root.setAttribute('aria-label', rows.length ? `log p(x) of ${rows[0][1].length} chains after ${rows.at(-1)[0]} SGLD steps: from ${label(Number(Math.min(...rows.at(-1)[1]).toFixed(2)))} to ${label(Number(Math.max(...rows.at(-1)[1]).toFixed(2)))}` : 'log p(x) of the chains');
  place.replaceChildren(c.root);
}
