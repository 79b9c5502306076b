// Chains, live: pictures and log p(x) as the events of a stream tell them.

import { ask, events, number, percent, Trouble } from './ask.js';
import { paths } from './drawing.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');

/** Chains shows one stream at a time: in place (pictures), chart and status. choose is called with a picture's address. */
export class Chains {
  constructor(form, place, chart, status, options) {
    Object.assign(this, { form, place, chart, status, ...options });
    this.button = form.querySelector('button');
    this.name = this.button.textContent;
    form.addEventListener('submit', event => {
      event.preventDefault();
      if (this.running) this.stop();
      else this.start();
    });
  }

  stop() { this.running?.abort(); }

  /** start asks for a stream and follows it to its end. */
  async start() {
    this.running = new AbortController();
    this.button.textContent = 'Stop';
    this.button.classList.add('stop');
    this.status.textContent = 'Asking for chains …';
    try {
      const { path, ...options } = this.request(new FormData(this.form));
      const response = await ask(path, { ...options, signal: this.running.signal });
      for await (const [name, document] of events(response)) this[name]?.(document);
    } catch (e) {
      if (e.name !== 'AbortError' && !(e instanceof Trouble)) throw e;
      this.status.textContent = e instanceof Trouble ? e.message : `Stopped after ${this.frames?.at(-1)?.[0] ?? 0} SGLD steps.`;
    } finally {
      this.running = null;
      this.button.textContent = this.name;
      this.button.classList.remove('stop');
      this.paint(true);
    }
  }

  begin(b) {
    this.steps = b.steps;
    this.frames = [];
    this.newest = null;
    this.status.textContent = this.describe(b);
    this.place.replaceChildren(...(this.before?.() || []), ...Array.from({ length: b.chains }, (_, i) => this.cell(i)));
    this.cells = [...this.place.querySelectorAll('.cell')];
  }

  cell(i) {
    const button = document.createElement('button'), image = document.createElement('img'), below = document.createElement('span');
    button.type = 'button';
    button.className = 'cell';
    button.disabled = true; // until there is something to ask about
    image.className = 'pixels';
    image.alt = `chain ${i + 1}`;
    below.className = 'below';
    button.append(image, below);
    button.addEventListener('click', () => this.choose(image.src, `chain ${i + 1} after ${this.newest.step} SGLD steps`));
    return button;
  }

  frame(f) {
    this.newest = f;
    this.frames.push([f.step, f.log_px]);
    this.paint(false);
  }

  end(e) { this.status.textContent = e.text + (this.after?.(e) || ''); }

  /** paint shows the newest frame, when the browser next draws; once a second for who wants little motion. */
  paint(last) {
    if (!this.newest || (this.painting && !last)) return;
    this.painting = true;
    const draw = () => {
      this.painting = false;
      const f = this.newest;
      f.images.forEach((url, i) => {
        const [image, below] = this.cells[i].children;
        image.src = url;
        image.alt = `chain ${i + 1} after ${f.step} SGLD steps: ${this.classes[f.class[i]]}`;
        const b = document.createElement('b');
        b.textContent = this.classes[f.class[i]];
        below.replaceChildren(b, ` ${percent(f.confidence[i])}`, document.createElement('br'), `log p(x) ${number(f.log_px[i], 3)}`);
        this.cells[i].disabled = false;
        this.cells[i].title = 'ask the model about this picture';
      });
      paths(this.chart, this.frames, this.steps, this.band);
    };
    if (last) draw();
    else if (still.matches) setTimeout(draw, 1000);
    else requestAnimationFrame(draw);
  }
}
