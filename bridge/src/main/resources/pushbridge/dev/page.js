// The page for trying out: the client library, and what it tells, made visible.
import { PushClient } from '/client/pushbridge-client.js';

const $ = (id) => document.getElementById(id);
const MAX_SHOWN = 200;

let push;
const channels = new Map();
const counts = { count: 0, duplicates: 0, gaps: 0 };

const query = new URLSearchParams(location.search);
let user = query.get('user') ?? '42';
const wanted = (query.get('channels') ?? 'news').split(',').filter(Boolean);
$('connect').elements.user.value = user;
$('publish').elements.to.value = user ? `user.${user}` : 'all';

function count(what) {
  $(what).textContent = ++counts[what];
}

/** In one line while it is short. */
function pretty(payload) {
  const text = JSON.stringify(payload, null, 2);
  return text.length <= 80 ? text.replace(/\n */g, ' ') : text;
}

function show(kind, facts, text) {
  const item = document.createElement('li');
  item.className = kind;
  if (kind === 'message') [item.dataset.to] = facts[1].split('.', 1);
  const head = document.createElement('p');
  facts.forEach((fact, i) => {
    const part = document.createElement(i === 0 ? 'strong' : 'span');
    part.textContent = fact;
    if (fact.startsWith('seq ')) part.className = 'seq';
    head.append(part);
  });
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString();
  head.append(time);
  item.append(head);
  if (text !== undefined) {
    const pre = document.createElement('pre');
    pre.textContent = text;
    item.append(pre);
  }
  $('messages').prepend(item);
  while ($('messages').children.length > MAX_SHOWN) $('messages').lastChild.remove();
}

function describe({ state, code, reason, delay }) {
  const why = [code, reason].filter(Boolean).join(' ');
  if (state === 'waiting') return `${why || 'lost'}, again in ${(delay / 1000).toFixed(1)} s`;
  return state === 'closed' && why ? `closed: ${why}` : state;
}

function onState({ detail }) {
  $('state').dataset.state = detail.state;
  $('state').textContent = describe(detail);
  $('toggle').textContent = detail.state === 'closed' ? 'Connect' : 'Disconnect';
  $('connection').textContent = detail.connection ?? '–';
  if (detail.state === 'open') show('note', ['connected']);
  else $('trip').textContent = '–';
  if (detail.state === 'waiting') show('note', ['disconnected', [detail.code || '', detail.reason].join(' ')]);
}

function onError(event) {
  const { kind, data, code, detail, error, reason } = event.detail;
  show('error', [kind, String(code ?? '')], String(data ?? detail ?? reason ?? error));
}

function start() {
  push?.close();
  const parameters = new URLSearchParams();
  if (user) parameters.set('user', user);
  push = new PushClient(`${document.documentElement.dataset.path}?${parameters}`);
  push.addEventListener('state', onState);
  push.addEventListener('error', onError);
  push.addEventListener('gap', ({ detail }) => {
    count('gaps');
    show('warn', ['gap', detail.address ?? ''], 'Something may have been missed: a page would load its state anew.');
  });
  push.addEventListener('seq-conflict', ({ detail }) => show('warn', ['seq-conflict', detail.to, `seq ${detail.seq}`]));
  push.addEventListener('duplicate', () => count('duplicates'));
  push.addEventListener('going-away', ({ detail }) => show('note', ['going-away', `again ${detail.delay} ms later`]));
  push.addEventListener('round-trip', ({ detail }) => ($('trip').textContent = `${detail < 100 ? detail.toFixed(1) : Math.round(detail)} ms`));
  push.on('*', (payload, envelope) => {
    count('count');
    show('message', [envelope.type, envelope.to, `seq ${envelope.seq}`], pretty(payload));
  });
  document.title = user ? `${user} · Pushbridge` : 'Pushbridge';
  onState({ detail: { state: push.state } });
  const names = [...channels.keys()];
  channels.clear();
  names.forEach(join);
}

function join(name) {
  if (!channels.has(name)) channels.set(name, push.channel(name));
  showChannels();
}

function showChannels() {
  $('channels').replaceChildren(
    ...[...channels].map(([name, channel]) => {
      const item = document.createElement('li');
      const leave = document.createElement('button');
      leave.type = 'button';
      leave.textContent = '×';
      leave.setAttribute('aria-label', `Leave ${name}`);
      leave.addEventListener('click', () => {
        channel.leave();
        channels.delete(name);
        showChannels();
      });
      item.append(name, leave);
      return item;
    }),
  );
  $('whose').textContent = [user || 'anonymous', ...channels.keys()].join(', ');
  const addresses = [...(user ? [`user.${user}`] : []), ...[...channels.keys()].map((name) => `channel.${name}`), 'all'];
  $('addresses').replaceChildren(
    ...addresses.map((address) => {
      const option = document.createElement('option');
      option.value = address;
      return option;
    }),
  );
  const parameters = new URLSearchParams();
  parameters.set('user', user);
  parameters.set('channels', [...channels.keys()].join(','));
  history.replaceState(null, '', `?${parameters}`);
}

$('toggle').addEventListener('click', () => (push.state === 'closed' ? push.connect() : push.close()));

$('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  const { to } = $('publish').elements;
  const fresh = event.target.elements.user.value.trim();
  if (to.value === `user.${user}` && fresh) to.value = `user.${fresh}`;
  user = fresh;
  start();
  showChannels();
});

$('join').addEventListener('submit', (event) => {
  event.preventDefault();
  const { channel } = event.target.elements;
  join(channel.value.trim());
  channel.value = '';
});

$('publish').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { to, type, payload } = event.target.elements;
  const say = (good, text) => {
    $('outcome').dataset.good = good;
    $('outcome').textContent = text;
  };
  let parsed;
  try {
    parsed = JSON.parse(payload.value);
  } catch (error) {
    say(false, `The payload is not JSON: ${error.message}`);
    return;
  }
  const envelope = { to: to.value, type: type.value, payload: parsed, seq: Date.now() * 1000 };
  try {
    const response = await fetch('/dev/publish', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(envelope),
    });
    const { outcome, detail } = await response.json();
    say(response.ok, `${outcome}: ${detail}`);
  } catch (error) {
    say(false, `The bridge does not answer: ${error.message}`);
  }
});

$('who').open = !matchMedia('(max-width: 48rem)').matches; // on a phone the messages come first
start();
wanted.forEach(join);
showChannels();
