// The page for trying out. It shows what a page has to do on the subprotocol pushbridge.v1: acknowledge by counting,
// ping, and come back with a growing random pause as the close codes say.
const $ = (id) => document.getElementById(id);
const connectForm = $('connect');
const publishForm = $('publish');

const PING_EVERY_MS = 25_000;
const MAX_SHOWN = 200;

let socket = null;
let wanted = false;
let envelopes = 0;
let attempts = 0;
let pingTimer = 0;
let retryTimer = 0;
let pingSentAt = 0;

const query = new URLSearchParams(location.search);
connectForm.elements.user.value = query.get('user') ?? '42';
connectForm.elements.channels.value = query.get('channels') ?? 'news';
publishForm.elements.to.value = `user.${connectForm.elements.user.value}`;

function showState(state, text) {
  $('state').dataset.state = state;
  $('state').textContent = text;
  $('toggle').textContent = wanted ? 'Disconnect' : 'Connect';
}

function show(kind, head, text) {
  const item = document.createElement('li');
  item.className = kind;
  const small = document.createElement('small');
  small.textContent = `${new Date().toLocaleTimeString()}  ${head}`;
  const pre = document.createElement('pre');
  pre.textContent = text;
  item.append(small, pre);
  $('messages').prepend(item);
  while ($('messages').children.length > MAX_SHOWN) $('messages').lastChild.remove();
}

function connect() {
  clearTimeout(retryTimer);
  const parameters = new URLSearchParams();
  const { user, channels } = connectForm.elements;
  if (user.value) parameters.set('user', user.value);
  if (channels.value) parameters.set('channels', channels.value);
  history.replaceState(null, '', `?${parameters}`);
  document.title = user.value ? `${user.value} · Pushbridge` : 'Pushbridge';
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const endpoint = document.documentElement.dataset.path;
  const current = new WebSocket(`${scheme}//${location.host}${endpoint}?${parameters}`, 'pushbridge.v1');
  socket = current;
  envelopes = 0;
  showState('connecting', 'connecting');
  current.onopen = () => {
    attempts = 0;
    showState('open', 'open');
    clearInterval(pingTimer);
    pingTimer = setInterval(ping, PING_EVERY_MS);
    ping();
  };
  current.onmessage = (event) => receive(current, event.data);
  current.onclose = (event) => {
    if (socket !== current) return;
    clearInterval(pingTimer);
    socket = null;
    $('connection').textContent = '–';
    $('trip').textContent = '–';
    const why = [event.code, event.reason].filter(Boolean).join(' ');
    // 4000–4099: do not come back. 4200–4299: at once. All else: after a random pause that grows to 30 s.
    const stay = event.code >= 4000 && event.code <= 4099;
    if (!wanted || stay) {
      wanted = false;
      showState('closed', `closed (${why})`);
      return;
    }
    const atOnce = event.code >= 4200 && event.code <= 4299;
    const pause = atOnce ? 0 : Math.random() * Math.min(30_000, 1_000 * 2 ** attempts++);
    showState('waiting', `closed (${why}), again in ${(pause / 1000).toFixed(1)} s`);
    retryTimer = setTimeout(connect, pause);
  };
}

function ping() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  pingSentAt = performance.now();
  socket.send(JSON.stringify({ type: 'ping' }));
}

function receive(current, data) {
  let message;
  try {
    message = JSON.parse(data);
  } catch (error) {
    show('error', 'not JSON', String(data));
    return;
  }
  if (message.type === 'pong') {
    $('trip').textContent = `${(performance.now() - pingSentAt).toFixed(1)} ms`;
    return;
  }
  if (message.type.startsWith('bridge.')) {
    if (message.type === 'bridge.welcome') $('connection').textContent = message.payload.connection;
    const kind = message.type === 'bridge.error' ? 'error' : 'bridge';
    show(kind, message.type, JSON.stringify(message.payload));
    return;
  }
  show('message', `${message.to}  ·  ${message.type}  ·  seq ${message.seq}`, JSON.stringify(message.payload, null, 2));
  envelopes += 1;
  $('count').textContent = envelopes;
  // "I have handled the first n envelopes of this connection"
  current.send(JSON.stringify({ type: 'ack', count: envelopes }));
}

connectForm.addEventListener('submit', (event) => {
  event.preventDefault();
  wanted = !wanted;
  attempts = 0;
  if (wanted) {
    connect();
  } else {
    clearTimeout(retryTimer);
    if (socket) socket.close(1000);
    else showState('closed', 'closed');
  }
});

publishForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { to, type, payload } = publishForm.elements;
  const outcome = $('outcome');
  const say = (good, text) => {
    outcome.dataset.good = good;
    outcome.textContent = text;
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
    const { outcome: what, detail } = await response.json();
    say(response.ok, `${what}: ${detail}`);
  } catch (error) {
    say(false, `The bridge does not answer: ${error.message}`);
  }
});

wanted = true;
connect();
