const levelsOf = on => on ? result.levels.map(l => l.at) : [];

// The map that answers: one of three layers, contours and data on or off.
const chosen = {layer: "density", contours: true, data: true};
const main = new Plane(byId("map"), (n, ratio) => {
  if (chosen.layer === "density") return densityLayer(enlarged(density, n), n, levelsOf(chosen.contours), 1.2 * ratio);
  return regionLayer(verdicts[chosen.layer], n, chosen.contours ? result.outline : null, ratio);
}, (c, at, side) => { if (chosen.data) marks(c, at, side, 0.95); });
listen(main);

for (const input of document.querySelectorAll("input[name=layer]"))
  input.addEventListener("change", () => {
    chosen.layer = input.value;
    for (const text of document.querySelectorAll("[data-layer]")) text.hidden = !text.dataset.layer.split(" ").includes(chosen.layer);
    main.repaint();
  });
for (const k of ["contours", "data"])
  byId("show-" + k).addEventListener("change", e => { chosen[k] = e.target.checked; main.repaint(); });
for (const k of ["x", "y"])
  byId("ask-" + k).addEventListener("input", e => { const v = e.target.valueAsNumber; if (Number.isFinite(v)) ask(k === "x" ? v : asked.x, k === "y" ? v : asked.y); });

// The two classifiers beside each other.
for (const who of ["jem", "twin"])
  listen(new Plane(byId(who + "-map"), (n, ratio) => regionLayer(verdicts[who], n, who === "jem" ? result.outline : null, ratio),
    (c, at, side) => marks(c, at, side, 0.8)));

// The density learned, snapshot by snapshot. Between two the picture blends.
const lively = 360; // pixels a side of a map that is made anew for each frame
if (snapshots.length) {
  let at = snapshots.length - 1;
  const map = new Plane(byId("snapshots"), (n, ratio) => {
    const i = Math.floor(at), next = snapshots[Math.min(i + 1, snapshots.length - 1)], part = at - i;
    const levels = snapshots[i].levels.map((v, k) => v + part * (next.levels[k] - v));
    return densityLayer(enlarged(blended(snapshots[i].field, next.field, part), n), n, levels, 1.2 * ratio);
  }, (c, at, side) => marks(c, at, side, 0.9), lively);
  new Player(byId("snapshots-controls"), snapshots.length, 4, i => `step ${snapshots[i].step} of ${result.steps}`, to => { at = to; map.repaint(); });
}

// Chains: points with tails of the last frames. Between two frames they move straight.
if (chains) {
  const count = chains.class.length, frames = chains.steps.length, tail = 10;
  let now = frames - 1;
  const place = (f, k) => [chains.at[2 * (f * count + k)], chains.at[2 * (f * count + k) + 1]];
  const between = (f, k) => {
    const i = Math.floor(f), p = place(i, k), q = place(Math.min(i + 1, frames - 1), k);
    return [p[0] + (f - i) * (q[0] - p[0]), p[1] + (f - i) * (q[1] - p[1])];
  };
  const map = new Plane(byId("chains"), (n, ratio) => densityLayer(enlarged(density, n), n, levelsOf(true), 1.2 * ratio), (c, at, side) => {
    const l = look();
    c.lineCap = "round";
    for (const halo of [true, false])
      for (let k = 0; k < count; k++) {
        c.strokeStyle = halo ? l.paper : l.classes[chains.class[k] % l.classes.length];
        c.lineWidth = halo ? 3.2 : 1.4;
        for (let f = Math.ceil(now) - 1; f >= 0 && f > now - tail; f--) {
          c.globalAlpha = Math.max(0, (halo ? 0.25 : 0.85) * (1 - (now - f) / tail));
          c.beginPath();
          c.moveTo(...at(...place(f, k)));
          c.lineTo(...at(...between(Math.min(f + 1, now), k)));
          c.stroke();
        }
      }
    c.globalAlpha = 1;
    for (let k = 0; k < count; k++) mark(c, chains.class[k], ...at(...between(now, k)), Math.max(2.2, side / 130));
  });
  new Player(byId("chains-controls"), frames, 12, i => `SGLD step ${chains.steps[i]} of ${chains.steps[frames - 1]}`, to => { now = to; map.paint(); });
}

// The true density beside what was learned.
if (truth) {
  new Plane(byId("truth"), (n, ratio) => densityLayer(enlarged(truth, n), n, result.truthLevels, 1.2 * ratio));
  new Plane(byId("learned"), (n, ratio) => densityLayer(enlarged(density, n), n, levelsOf(true), 1.2 * ratio));
}

// The bar of colours of the densities.
function bar() {
  const c = byId("bar").getContext("2d"), image = c.createImageData(256, 1);
  new Uint32Array(image.data.buffer).set(look().ramp);
  c.putImageData(image, 0, 0);
}
bar();
wantsDark.addEventListener("change", bar);
addEventListener("beforeprint", bar);
addEventListener("afterprint", bar);

// The first question: far from the data, where the two differ most.
{
  const [x0, x1, y0, y1] = result.window;
  ask(x0 + 0.93 * (x1 - x0), y0 + 0.93 * (y1 - y0));
}
document.documentElement.dataset.ready = "yes";
