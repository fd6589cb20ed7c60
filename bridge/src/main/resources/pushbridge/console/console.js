// The console's frame: which view is shown, how the bridge is, and what keys do.
import { get } from './api.js';
import { h } from './dom.js';
import * as connections from './connections.js';
import * as held from './held.js';
import * as letters from './letters.js';
import * as overview from './overview.js';
import * as setup from './setup.js';

const VIEWS = { overview, letters, held, connections, setup };
const KEYS = 'pushbridge-keys';

const $ = (id) => document.getElementById(id);
const main = $('main');

let keys = {};
let stop = () => {};
let looked = 0;

/** What everybody wants to know, whatever they look at. */
function onLook(now, problem) {
  looked = Date.now();
  const state = $('state');
  if (!now) {
    state.dataset.state = 'closed';
    state.textContent = problem.message;
    return;
  }
  const worst = now.problems.length && now.ready ? 'waiting' : now.ready ? 'open' : 'closed';
  state.dataset.state = worst;
  state.textContent = now.ready ? (now.problems.length ? `${now.ownership}, with problems` : now.ownership) : now.ownership === 'standby' ? 'standby' : 'not ready';
}

async function lookNowAndThen() {
  if (!document.hidden && Date.now() - looked > 4_000) {
    await get('/api/overview').then(
      (now) => onLook(now),
      (problem) => onLook(null, problem),
    );
  }
  setTimeout(lookNowAndThen, 5_000);
}

/** Another view; the same one again is made anew. */
function go(hash) {
  if (location.hash === hash) show();
  else location.hash = hash;
}

function show() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...rest] = path.split('/');
  if (path === 'main') return; // the skip link
  const view = VIEWS[name];
  if (!view) {
    location.replace('#/overview');
    return;
  }
  stop();
  const root = h('div', { class: `view ${name}` });
  main.replaceChildren(root);
  document.title = `${view.title} · Pushbridge`;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#/${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const started = view.start(root, { query: new URLSearchParams(search), rest: rest.map(decodeURIComponent), go, onLook });
  keys = typeof started === 'function' ? {} : (started ?? {});
  stop = typeof started === 'function' ? started : (keys.stop ?? (() => {}));
  window.scrollTo(0, 0);
  if (!document.querySelector('dialog[open]')) main.focus({ preventScroll: true });
}

const NAMES = { ArrowDown: 'j', ArrowUp: 'k', Escape: 'u' };

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const { target } = event;
  if (target.matches('input, textarea, select')) {
    if (event.key === 'Escape') target.blur();
    return;
  }
  if (event.key.startsWith('Arrow') && !target.matches('[data-item], main, body')) return;
  if (!$('keys-on').checked && event.key.length === 1) return;
  const view = Object.keys(VIEWS)[Number(event.key) - 1];
  let action = keys[NAMES[event.key] ?? event.key];
  if (view) action = () => go(`#/${view}`);
  else if (event.key === '?') action = () => $('help').showModal();
  else if (event.key === '/') {
    action = () => {
      const field = main.querySelector('input');
      const folded = field?.closest('details');
      if (folded) folded.open = true;
      field?.focus();
    };
  }
  if (action) {
    event.preventDefault();
    action();
  }
});

$('keys-on').checked = localStorage.getItem(KEYS) !== 'off';
$('keys-on').addEventListener('change', () => localStorage.setItem(KEYS, $('keys-on').checked ? 'on' : 'off'));
$('help-button').addEventListener('click', () => $('help').showModal());
$('help').querySelector('button').addEventListener('click', () => $('help').close());
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', show);
show();
lookNowAndThen();
