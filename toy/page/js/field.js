// cell is the cell whose middle is at u in [0,1] or before it, and how far u is on the way to the next.
function cell(u, n) {
  const p = Math.max(0, Math.min(n - 1, u * n - 0.5)), i = Math.min(Math.floor(p), Math.max(0, n - 2));
  return [i, Math.min(i + 1, n - 1), p - i];
}

// valueAt is a field at a place of the window, from (0,0) at its lower left to (1,1).
function valueAt(f, u, v) {
  const [i, i1, s] = cell(u, f.w), [j, j1, t] = cell(v, f.h);
  return (1 - t) * ((1 - s) * f.v[j * f.w + i] + s * f.v[j * f.w + i1]) + t * ((1 - s) * f.v[j1 * f.w + i] + s * f.v[j1 * f.w + i1]);
}

// curve is how n pixels take their values from so many cells: four cells and their weights each, by cubic
// curves through the cells' middles (Catmull and Rom), so that contours have no corners.
function curve(cells, n) {
  return Array.from({length: n}, (_, x) => {
    const [i, , t] = cell((x + 0.5) / n, cells);
    const at = [i - 1, i, i + 1, i + 2].map(k => Math.max(0, Math.min(cells - 1, k)));
    return [...at, ((2 - t) * t - 1) * t / 2, (t * t * (3 * t - 5) + 2) / 2, ((4 - 3 * t) * t + 1) * t / 2, (t - 1) * t * t / 2];
  });
}

// enlarged is a field on n by n pixels, from the top down.
function enlarged(f, n) {
  const out = new Float32Array(n * n), row = new Float32Array(f.w), across = curve(f.w, n), {w, v} = f;
  curve(f.h, n).forEach(([a, b, c, d, p, q, r, s], y) => {
    for (let i = 0; i < w; i++) row[i] = p * v[a * w + i] + q * v[b * w + i] + r * v[c * w + i] + s * v[d * w + i];
    const to = (n - 1 - y) * n;
    for (let x = 0; x < n; x++) {
      const k = across[x];
      out[to + x] = k[4] * row[k[0]] + k[5] * row[k[1]] + k[6] * row[k[2]] + k[7] * row[k[3]];
    }
  });
  return out;
}

// blended is the field on the way from one to another of the same size.
function blended(f, other, part) {
  return part ? {w: f.w, h: f.h, v: f.v.map((v, i) => v + part * (other.v[i] - v))} : f;
}

// pixels makes a canvas of n by n of 32-bit colours.
function pixels(n, colours) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  const context = canvas.getContext("2d"), image = context.createImageData(n, n);
  new Uint32Array(image.data.buffer).set(colours);
  context.putImageData(image, 0, 0);
  return canvas;
}

const byte = (c, k) => (c >>> (8 * k)) & 255;

// over covers a part of a pixel's colour with another's.
function over(below, above, part) {
  let c = 255 << 24;
  for (let k = 0; k < 3; k++) c |= Math.round(byte(below, k) + part * (byte(above, k) - byte(below, k))) << (8 * k);
  return c >>> 0;
}

// contour draws the lines on which values on n by n pixels have given heights: a pixel is covered as
// far as the line is near, by the height over the slope.
function contour(colours, values, n, levels, width, colour, strength) {
  const least = Math.min(...levels), most = Math.max(...levels);
  for (let y = 1; y < n - 1; y++)
    for (let x = 1; x < n - 1; x++) {
      const i = y * n + x, here = values[i];
      const across = values[i + 1] - values[i - 1], up = values[i + n] - values[i - n], slope = Math.sqrt(across * across + up * up) / 2;
      if (!slope || here < least - slope * width || here > most + slope * width) continue;
      for (const level of levels) {
        const part = width / 2 + 0.5 - Math.abs(here - level) / slope;
        if (part > 0) colours[i] = over(colours[i], colour, Math.min(1, part) * strength);
      }
    }
}

// densityLayer is a map of log p(x) with its contours; width is that of lines in pixels.
function densityLayer(values, n, levels, width) {
  const l = look(), [lo, hi] = result.scale, colours = new Uint32Array(n * n);
  for (let i = 0; i < colours.length; i++)
    colours[i] = l.ramp[Math.max(0, Math.min(255, Math.round(255 * (values[i] - lo) / (hi - lo)) || 0))];
  if (levels.length) contour(colours, values, n, levels, width, l.line, 0.5);
  return pixels(n, colours);
}

// regionLayer is a map of the likeliest class, the stronger the surer.
function regionLayer(p, n, outline, width) {
  const l = look(), all = p.map(f => enlarged(f, n)), colours = new Uint32Array(n * n), chance = 1 / p.length;
  for (let i = 0; i < colours.length; i++) {
    let best = 0;
    for (let k = 1; k < all.length; k++) if (all[k][i] > all[best][i]) best = k;
    const shades = l.regions[best], sure = (all[best][i] - chance) / (1 - chance);
    colours[i] = shades[Math.max(0, Math.min(shades.length - 1, Math.round(sure * (shades.length - 1)) || 0))];
  }
  if (outline !== null) contour(colours, enlarged(density, n), n, [outline], 1.6 * width, l.line, 0.9);
  return pixels(n, colours);
}
