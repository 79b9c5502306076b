// The gradient of log p(x) in colours over the picture.

const up = [221, 100, 16], down = [22, 103, 196]; // orange and blue differ for every kind of eyes

// strongest is the quantile of sizes that gets the full colour: a few pixels that stick out must not take it from all others.
const strongest = 0.995;

/** slopes are the numbers of a gradient, one a pixel. */
function slopes(gradient) {
  const bytes = Uint8Array.from(atob(gradient), c => c.charCodeAt(0));
  return new Float32Array(bytes.buffer); // little-endian, as all machines with a browser are
}

/** read draws an image on a canvas of its size, and gives the canvas's pixels. */
async function read(canvas, url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const g = canvas.getContext('2d', { willReadFrequently: true });
  g.drawImage(image, 0, 0);
  return [g, g.getImageData(0, 0, canvas.width, canvas.height)];
}

/**
 * heat draws the gradient over an image, which is as large. strength in [0,1] says how much covers it; beyond, whether
 * a white pixel's wish to be brighter, or a black one's to be darker, is shown. It gives what full colour stands for.
 */
export async function heat(canvas, url, gradient, strength, beyond) {
  const [g, data] = await read(canvas, url);
  const grey = i => 0.299 * data.data[4 * i] + 0.587 * data.data[4 * i + 1] + 0.114 * data.data[4 * i + 2];
  const shown = slopes(gradient).map((v, i) => !beyond && (v > 0 ? grey(i) > 253 : grey(i) < 2) ? 0 : v);
  const sizes = shown.map(Math.abs).sort();
  const full = sizes[Math.floor(strongest * (sizes.length - 1))] || sizes.at(-1) || 1;
  shown.forEach((v, i) => {
    const p = data.data.subarray(4 * i, 4 * i + 3), colour = v > 0 ? up : down;
    const part = strength * Math.min(1, Math.abs(v) / full) ** 0.7, pale = 0.72 * grey(i) + 36;
    // The picture turns grey as the colours come, so that none of its own is taken for one of the gradient's.
    for (let k = 0; k < 3; k++) {
      const own = p[k] + (pale - p[k]) * Math.min(1, 2 * strength);
      p[k] = own + (colour[k] - own) * part;
    }
  });
  g.putImageData(data, 0, 0);
  return full;
}
