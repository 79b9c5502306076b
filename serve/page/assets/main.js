// The page: gives the service a picture, and shows what the model makes of it.

import { $, ask, complain, count, number, percent, Trouble } from './ask.js';
import { histogram, key, middle } from './drawing.js';
import { heat } from './heat.js';
import { Chains } from './chains.js';

// scores are the names of scores that rules go by, for people.
const scores = { px: 'log p(x)', py: 'max p(y|x)', pxgrad: 'approximate mass', energy: 'energy', maxlogit: 'largest logit', msp: 'max p(y|x)', mahalanobis: 'Mahalanobis distance', relative: 'relative Mahalanobis distance', knn: 'distance to neighbours' };
const scoreName = () => scores[model.rule.score] || model.rule.score;

let model, said, picture; // what the service serves; its newest answer; the bytes that it is of
let asking = 0; // counts questions: only the newest one's answer is shown

/** tell takes errors that people are to hear of, and lets mistakes of this page go on to the console. */
function tell(e) {
  if (!(e instanceof Trouble)) throw e;
  complain(e.message);
}

/** describe fetches what is known of the model, and says it. */
async function describe() {
  model = await (await ask('api/model')).json();
  const kind = `${model.size}×${model.size} pixels, ${model.channels === 1 ? 'grey' : 'colour'}`;
  $('#title').textContent = model.name || model.network;
  document.title = `${model.name || model.network}: what it makes of a picture`;
  $('#subtitle').textContent = `A classifier that is an energy-based model, too: it says which of ${count(model.classes.length)} classes a picture shows, how likely such a picture is at all, and it draws.`;
  $('#about').textContent = `${model.network}, trained on ${model.data}${model.step ? ` for ${count(model.step)} steps` : ''}; ${kind}; version ${model.version || 'unknown'}; on ${model.device}.`;
  $('#temperature').textContent = model.temperature && model.temperature !== 1 ? `Here confidence is calibrated on held-out pictures: logits are divided by a temperature of ${number(model.temperature, 3)}.` : '';
  $('#rule').textContent = model.rule
    ? `Here the score is ${scoreName()}, and of pictures like those held out ${percent(model.rule.false_alarms)} are called unusual by mistake, by construction. How many truly strange ones it finds depends on how they are strange: jem eval --task ood measures that.`
    : 'This service was started without a rule (jem serve --rule), so there are no verdicts.';
}

async function open() {
  await describe();
  const classes = [['any', 'any']].concat(model.classes.map((name, i) => [String(i), name]));
  for (const select of document.querySelectorAll('select[name=class]')) select.replaceChildren(...classes.map(([value, text]) => new Option(text, value)));
  const c = model.chains, draw = $('#draw');
  if (c.buffer > 0) draw.elements.from.append(new Option('the replay buffer', 'buffer'));
  draw.elements.steps.value = c.steps;
  draw.elements.chains.value = c.chains;
  draw.elements.chains.max = c.max_chains;
  for (const e of document.querySelectorAll('input[name=steps]')) e.max = c.max_steps;
  examples();
  chains();
}

/** examples offers pictures to begin with. */
function examples() {
  $('#examples').hidden = !model.examples.length;
  $('#examples div').replaceChildren(...model.examples.map(e => {
    const button = document.createElement('button'), image = document.createElement('img');
    button.type = 'button';
    image.src = e.url;
    image.alt = e.name;
    image.className = 'pixels';
    button.title = e.name;
    button.append(image);
    button.addEventListener('click', () => askAbout(e.url).catch(tell));
    return button;
  }));
}

/** chains wires both places where chains are seen. */
function chains() {
  const shared = { classes: model.classes, band: model.histogram ? middle(model.histogram) : null, choose: url => askAbout(url).then(() => $('#picture').scrollIntoView({ block: 'start' })).catch(tell) };
  const band = model.histogram ? ' Shaded: where nine in ten held-out images lie.' : '';
  const towards = b => b.class < 0 ? 'Climbing log p(x).' : `Climbing log p(x|y) of ${model.classes[b.class]}.`;
  const drawn = new Chains($('#draw'), $('#drawn'), $('#drawn-chart'), $('#drawn-status'), {
    ...shared,
    request: form => ({ path: 'api/draw?' + new URLSearchParams(form) }),
    describe: b => `${towards(b)} ${b.chains} chains from ${b.from === 'buffer' ? 'the replay buffer' : 'noise'}, ${count(b.steps)} SGLD steps, seed ${b.seed}.`,
    after: () => band + ' Choose a picture to ask the model about it.',
  });
  const refined = new Chains($('#refine'), $('#refined'), $('#refined-chart'), $('#refined-status'), {
    ...shared,
    request: form => ({ path: 'api/refine?' + new URLSearchParams(form), method: 'POST', body: picture }),
    describe: b => `${towards(b)} One chain from your picture, seed ${b.seed}.`,
    after: () => band,
    before: () => {
      const figure = document.createElement('figure'), image = document.createElement('img'), caption = document.createElement('figcaption');
      image.src = said.picture.seen;
      image.alt = 'where the chain begins';
      image.className = 'pixels';
      caption.textContent = `begins here: log p(x) ${number(said.log_px, 3)}`;
      figure.append(image, caption);
      return [figure];
    },
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') for (const c of [drawn, refined]) c.stop();
  });
  askAbout.begins = () => { refined.stop(); refined.place.replaceChildren(); refined.chart.replaceChildren(); refined.newest = null; };
}

/** askAbout sends a picture: a file's bytes, or an address within this page. */
async function askAbout(source) {
  const mine = ++asking;
  complain('');
  $('#answer').classList.add('busy');
  try {
    const blob = typeof source === 'string' ? await (await within(source)) : source;
    if (blob.size > model.max_bytes) throw new Trouble(`The picture has ${(blob.size / 2 ** 20).toFixed(0)} MiB, and at most ${(model.max_bytes / 2 ** 20).toFixed(0)} are taken: save it smaller.`);
    const answer = await (await ask('api/score', { method: 'POST', body: blob })).json();
    if (answer.version !== model.version) await describe(); // another one answers since
    if (mine !== asking) return;
    askAbout.begins?.();
    [said, picture] = [answer, blob];
    show(blob);
  } finally {
    if (mine === asking) $('#answer').classList.remove('busy');
  }
}

/** within makes bytes of a data: address, which the page's rules don't let it fetch. */
async function within(url) {
  const bytes = atob(url.slice(url.indexOf(',') + 1));
  return new Blob([Uint8Array.from(bytes, c => c.charCodeAt(0))], { type: 'image/png' });
}

function show(blob) {
  URL.revokeObjectURL($('#came').src);
  $('#came').src = URL.createObjectURL(blob);
  $('#came').classList.toggle('pixels', said.picture.width <= 100);
  $('#seen').src = said.picture.seen;
  for (const id of ['#views', '#answer', '#likely', '#more']) $(id).hidden = false;
  $('#waiting').hidden = true;
  $('#invitation').hidden = true;
  $('#handled').textContent = said.picture.notes.length ? `It was ${said.picture.notes.join('; ')}.` : 'It is taken as it came.';
  showVerdict();
  showClasses();
  $('#logpx').textContent = number(said.log_px);
  $('#mass').textContent = number(said.approx_mass, 3);
  $('#took').textContent = `${number(1000 * said.seconds, 2)} ms`;
  $('#likely').hidden = !model.histogram;
  drawAll();
}

function showVerdict() {
  const v = said.verdict, box = $('#verdict'), [what, why] = box.children;
  const name = model.classes[said.class], sure = percent(said.probabilities[said.class]);
  box.className = 'verdict ' + (v ? (v.unusual ? 'unusual' : 'usual') : '');
  what.textContent = v?.unusual ? 'Unusual: its class means little' : `${name}, ${sure} sure`;
  $('#heard').textContent = what.textContent + (v && !v.unusual ? '. Not unusual.' : '.');
  const place = said.below === undefined ? '' : `Its log p(x) is at least that of ${percent(said.below)} of ${count(model.histogram.sets[0].images)} held-out images. `;
  if (!v) {
    why.textContent = place + 'No verdict: the service was started without a rule.';
    return;
  }
  const share = `${percent(v.p_value)} of ${count(model.rule.held_out_images)} held-out images look as unusual or more, by ${scoreName()}`;
  why.textContent = v.unusual
    ? `${share}; at ${percent(model.rule.false_alarms)} or less a picture is called unusual, so that of usual ones ${percent(model.rule.false_alarms)} are called so by mistake. If it has to be one of the classes: ${name}, ${sure}. ${place}`
    : `Not unusual: ${share}. ${place}`;
}

function showClasses() {
  const order = said.probabilities.map((p, i) => [p, i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  $('#classes').replaceChildren(...order.slice(0, 5).map(([p, i]) => {
    const li = document.createElement('li'), parts = ['name', 'bar', 'share'].map(c => Object.assign(document.createElement('span'), { className: c }));
    parts[0].textContent = parts[0].title = model.classes[i];
    parts[1].append(document.createElement('i'));
    parts[1].firstChild.style.width = `${100 * p}%`;
    parts[1].setAttribute('aria-hidden', 'true');
    parts[2].textContent = percent(p);
    li.append(...parts);
    return li;
  }));
  $('#all').hidden = order.length <= 5;
  $('#all summary').textContent = `all ${count(order.length)} classes`;
  const rows = $('#all').open ? order : [];
  fillAll(rows);
  $('#all').ontoggle = () => { if ($('#all').open) fillAll(order); };
}

function fillAll(order) {
  $('#all tbody').replaceChildren(...order.map(([p, i]) => {
    const tr = document.createElement('tr');
    for (const text of [model.classes[i], percent(p)]) tr.insertCell().textContent = text;
    return tr;
  }));
}

/** drawAll draws what depends on the width of the page. */
function drawAll() {
  if (!said) return;
  const h = model.histogram;
  if (h) {
    const threshold = model.rule?.score === 'px' ? model.rule.threshold : null;
    const drawing = histogram($('#histogram'), h, said.log_px, threshold);
    drawing.setAttribute('aria-label', `Distributions of log p(x): ${h.sets.map(s => `${count(s.images)} images of ${s.name}`).join('; ')}. This picture lies at ${number(said.log_px)}, above ${percent(said.below)} of the first.`);
    $('#legend').replaceChildren(...h.sets.map((s, i) => key(i, `${s.name}, ${count(s.images)} images${s.seen ? ' (the model was trained to tell such images from its own)' : ''}`)));
    $('#overlap').textContent = h.sets.length > 1 ? 'Where the distributions overlap log p(x) can’t tell the sets apart.' : '';
  }
  drawHeat();
}

async function drawHeat() {
  const full = await heat($('#heat'), said.picture.seen, said.gradient, $('#strength').value / 100, $('#beyond').checked);
  $('#gradient-scale').textContent = `Full colour is a slope of ${number(full, 2)}, log p(x) by brightness in [−1, 1]${model.channels > 1 ? ', summed over the colours' : ''}.`;
}

$('#strength').addEventListener('input', drawHeat);
$('#beyond').addEventListener('change', drawHeat);
let resized;
addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(drawAll, 100); });

const take = files => { if (files?.length) askAbout(files[0]).catch(tell); };
$('#file').addEventListener('change', event => { take(event.target.files); event.target.value = ''; });
document.addEventListener('paste', event => take([...event.clipboardData.files].filter(f => f.type.startsWith('image/'))));
// A picture may be dropped anywhere: a browser would else leave the page and show it.
document.addEventListener('dragover', event => { event.preventDefault(); $('#drop').classList.add('over'); });
document.addEventListener('dragleave', event => { if (!event.relatedTarget) $('#drop').classList.remove('over'); });
document.addEventListener('drop', event => {
  event.preventDefault();
  $('#drop').classList.remove('over');
  take(event.dataTransfer.files);
});

open().catch(tell);
