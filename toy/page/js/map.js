// Plane is a canvas that shows the window. Its layer, which is slow to make, is kept until something
// asks for another; it has so many pixels a side at the most. What moves is drawn over it.
const maps = [];

class Plane {
  constructor(canvas, layer, draw, most = 960) {
    Object.assign(this, {canvas, layer, draw, most, kept: null});
    maps.push(this);
    new ResizeObserver(() => this.repaint()).observe(canvas);
  }
  // repaint makes everything anew: the size, the colours or the layer changed.
  repaint() { this.kept = null; this.paint(); }
  paint() {
    const side = this.canvas.clientWidth;
    if (!side) return;
    const ratio = Math.min(2, devicePixelRatio || 1), n = Math.round(side * ratio);
    if (this.canvas.width !== n) { this.canvas.width = this.canvas.height = n; this.kept = null; }
    if (!this.kept) { const m = Math.min(n, this.most); this.kept = this.layer(m, Math.max(1, ratio * m / n)); }
    const c = this.canvas.getContext("2d");
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.imageSmoothingQuality = "high";
    c.drawImage(this.kept, 0, 0, n, n);
    c.setTransform(n / side, 0, 0, n / side, 0, 0);
    const [x0, x1, y0, y1] = result.window;
    const at = (x, y) => [(x - x0) / (x1 - x0) * side, (y1 - y) / (y1 - y0) * side];
    if (this.draw) this.draw(c, at, side);
    if (asked && this.asks) cross(c, ...at(asked.x, asked.y), side);
  }
}

const repaintAll = () => maps.forEach(m => m.repaint());
wantsDark.addEventListener("change", repaintAll);
const settings = document.querySelector("details");
addEventListener("beforeprint", () => { printing = true; if (settings) settings.open = true; repaintAll(); });
addEventListener("afterprint", () => { printing = false; repaintAll(); });

// trace makes the path of the mark of a class: disc, square, triangle or diamond.
function trace(c, k, x, y, r) {
  c.beginPath();
  switch (k % 4) {
    case 0: c.arc(x, y, r, 0, 2 * Math.PI); break;
    case 1: c.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r); break;
    case 2: c.moveTo(x, y - 1.15 * r); c.lineTo(x + 1.1 * r, y + 0.8 * r); c.lineTo(x - 1.1 * r, y + 0.8 * r); c.closePath(); break;
    case 3: c.moveTo(x, y - 1.25 * r); c.lineTo(x + 1.25 * r, y); c.lineTo(x, y + 1.25 * r); c.lineTo(x - 1.25 * r, y); c.closePath(); break;
  }
}

function mark(c, k, x, y, r) {
  const l = look();
  trace(c, k, x, y, r);
  c.lineWidth = 1.5;
  c.strokeStyle = l.paper;
  c.stroke();
  c.fillStyle = l.classes[k % l.classes.length];
  c.fill();
}

// marks draws the data; many points are drawn smaller.
function marks(c, at, side, strength) {
  c.globalAlpha = strength;
  const r = Math.max(1.4, Math.min(3.2, side / 150 * Math.sqrt(500 / Math.max(250, points.x.length))));
  for (let i = 0; i < points.x.length; i++) mark(c, points.class[i], ...at(points.x[i], points.y[i]), r);
  c.globalAlpha = 1;
}

function cross(c, x, y, side) {
  const l = look(), r = 9;
  for (const [width, colour] of [[4, l.paper], [1.75, l.ink]]) {
    c.lineWidth = width; c.strokeStyle = colour;
    c.beginPath();
    c.arc(x, y, r, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { c.moveTo(x + r * dx, y + r * dy); c.lineTo(x + (r + 7) * dx, y + (r + 7) * dy); }
    c.stroke();
  }
}
