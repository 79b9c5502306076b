// Requests to the service: with its token where it asks for one, errors as sentences, streams of events.

let token = '';
let unlock = null; // ends the wait for a token

export const $ = selector => document.querySelector(selector);

/** Trouble is what goes wrong, as a sentence for people. */
export class Trouble extends Error {}

/** ask sends a request, and asks the visitor for the token once the service wants one. */
export async function ask(path, options = {}) {
  for (;;) {
    let response;
    try {
      response = await fetch(path, { ...options, headers: token ? { Authorization: 'Bearer ' + token } : {} });
    } catch (e) {
      if (e.name === 'AbortError') throw e;
      throw new Trouble('The service does not answer. Is it still running?');
    }
    if (response.ok) return response;
    if (response.status === 401) {
      await askForToken();
      continue;
    }
    let sentence = `The service answers ${response.status}.`;
    try {
      sentence = (await response.json()).error || sentence;
    } catch { /* no document: the status has to do */ }
    throw new Trouble(sentence[0].toUpperCase() + sentence.slice(1));
  }
}

function askForToken() {
  const form = $('#locked');
  form.hidden = false;
  $('#token').focus();
  return new Promise(done => { unlock = done; });
}

$('#locked').addEventListener('submit', event => {
  event.preventDefault();
  token = $('#token').value.trim();
  $('#token').value = '';
  $('#locked').hidden = true;
  unlock?.();
});

/** events yields [name, document] of a stream of server-sent events. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split('\n\n');
      rest = parts.pop();
      for (const part of parts) {
        const name = /^event: (.*)$/m.exec(part), data = /^data: (.*)$/m.exec(part);
        if (name && data) yield [name[1], JSON.parse(data[1])];
      }
    }
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Trouble('The connection was lost.');
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** complain shows a sentence where nobody overlooks it; '' takes it away. */
export function complain(sentence) {
  $('#trouble').textContent = sentence;
  $('#trouble').hidden = !sentence;
}

/** number is a figure of so many significant digits, with a real minus. */
export function number(v, digits = 4) {
  return Number(v).toLocaleString('en', { maximumSignificantDigits: digits, useGrouping: Math.abs(v) >= 10000 }).replace('-', '−');
}

/** percent is a share, with a digit after the point where that isn't 0. */
export function percent(share) {
  const p = 100 * share;
  if (p > 0 && p < 0.1) return '< 0.1 %';
  if (p > 99.9 && p < 100) return '> 99.9 %';
  return p.toFixed(1).replace(/\.0$/, '') + ' %';
}

/** count is a number of things. */
export const count = n => n.toLocaleString('en');
