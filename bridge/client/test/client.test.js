import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PushClient, Seen } from '../pushbridge-client.js';
import { FakeClock, FakeSocket, FakeWindow, settled } from './fakes.js';

let clock, window;
beforeEach(() => {
  FakeSocket.all = [];
  clock = new FakeClock();
  window = new FakeWindow();
});

/** A client that notes all it hears, and its first socket; the welcome has not come yet. */
async function connecting(options = {}) {
  const { random, ...others } = options;
  const push = new PushClient('wss://push.example/ws?user=42', {
    WebSocket: FakeSocket,
    runtime: clock.runtime({ window, ...(random && { random }) }),
    ...others,
  });
  const heard = [];
  const types = ['state', 'gap', 'seq-conflict', 'duplicate', 'error', 'round-trip', 'going-away', 'subscribed', 'renewed'];
  for (const type of types) {
    push.addEventListener(type, (event) => {
      event.preventDefault();
      heard.push([type, event.detail]);
    });
  }
  const of = (type) => heard.filter(([name]) => name === type).map(([, detail]) => detail);
  await settled();
  return { push, of };
}

async function open(options) {
  const client = await connecting(options);
  FakeSocket.last.welcome();
  return { ...client, socket: FakeSocket.last };
}

async function notes(options) {
  const client = await open(options);
  const got = [];
  client.push.on('note', (payload) => got.push(payload.text));
  return { ...client, got };
}

const nextSocket = async () => {
  const before = FakeSocket.all.length;
  for (let i = 0; i < 400 && FakeSocket.all.length === before; i++) await clock.advance(100);
};

const reconnected = async () => {
  await nextSocket();
  FakeSocket.last.welcome();
  return FakeSocket.last;
};

test('the core is at most 4 kB on the wire', () => {
  assert.ok(gzipSync(readFileSync(new URL('../pushbridge-client.js', import.meta.url)), { level: 9 }).length <= 4096);
});

test('it offers pushbridge.v1, and the token behind it', async () => {
  await connecting();
  assert.deepEqual(FakeSocket.last.protocols, ['pushbridge.v1']);
  await connecting({ token: async () => 'abc.def' });
  assert.deepEqual(FakeSocket.last.protocols, ['pushbridge.v1', 'bearer.abc.def']);
});

test('an http address becomes a WebSocket one', () => {
  new PushClient('https://push.example/ws', { WebSocket: FakeSocket, runtime: clock.runtime({ window }) });
  return settled().then(() => assert.equal(FakeSocket.last.url.href, 'wss://push.example/ws'));
});

test('it is open when the bridge has said welcome', async () => {
  const { push, of } = await connecting();
  assert.equal(push.state, 'connecting');
  FakeSocket.last.welcome({ connection: 'me' });
  assert.equal(push.state, 'open');
  assert.equal(push.connection, 'me');
  assert.deepEqual(of('state').at(-1), { state: 'open', connection: 'me', user: '42' });
  assert.deepEqual(of('gap'), []);
});

test('handlers get payload, envelope and text by type; a star gets all; what was taken away gets none', async () => {
  const { push, socket } = await open();
  const calls = [];
  push.on('note', (payload, envelope, text) => calls.push(['note', payload.text, envelope.seq, JSON.parse(text).to]));
  push.on('*', (payload) => calls.push(['*', payload.text]));
  push.on('note', () => calls.push('never'))();
  socket.envelope(1);
  socket.envelope(2, { type: 'other' });
  assert.deepEqual(calls, [['note', 'm1', 1, 'user.42'], ['*', 'm1'], ['*', 'm2']]);
});

test('a channel has handlers of its own, which see nothing of other addresses', async () => {
  const { push, socket } = await open();
  const got = [];
  push.channel('news').on('note', (payload) => got.push(payload.text));
  socket.envelope(1, { to: 'channel.news' });
  socket.envelope(2, { to: 'channel.sport' });
  socket.envelope(3);
  assert.deepEqual(got, ['m1']);
});

test('channels are subscribed to at once, again after each reconnection, and not after leaving', async () => {
  const { push, socket } = await open();
  push.channel('news');
  push.channel('news');
  const sport = push.channel('sport');
  const names = (some) => some.sentOf('subscribe').map((frame) => frame.payload.channel);
  assert.deepEqual(names(socket), ['news', 'sport']);
  sport.leave();
  assert.deepEqual(socket.sentOf('unsubscribe').map((frame) => frame.payload), [{ channel: 'sport' }]);
  socket.drop();
  assert.deepEqual(names(await reconnected()), ['news']);
});

test('a channel that was left and joined anew is not left by its old object', async () => {
  const { push, socket } = await open();
  const old = push.channel('news');
  old.leave();
  push.channel('news');
  old.leave();
  assert.equal(socket.sentOf('unsubscribe').length, 1);
});

test('of many channels only eight are asked for at a time', async () => {
  const { push, socket } = await open();
  for (let i = 0; i < 20; i++) push.channel(`c${i}`);
  assert.equal(socket.sentOf('subscribe').length, 8);
  for (let i = 0; i < 20; i++) {
    const asked = socket.sentOf('subscribe')[i];
    socket.frame('bridge.subscribed', { channel: asked.payload.channel, complete: true }, asked.seq);
  }
  assert.equal(socket.sentOf('subscribe').length, 20);
});

test('a request that the bridge refuses is reported with the request', async () => {
  const { push, socket, of } = await open();
  push.channel('secret');
  const asked = socket.sentOf('subscribe')[0];
  socket.frame('bridge.error', { code: 'forbidden', detail: 'No.' }, asked.seq);
  assert.deepEqual(of('error'), [{ kind: 'bridge', code: 'forbidden', detail: 'No.', request: asked }]);
});

// -- acknowledging

test('the first envelope is acknowledged from its own event, without any timer', async () => {
  const { socket } = await notes();
  socket.envelope(1);
  assert.deepEqual(socket.sentOf('ack'), [{ type: 'ack', count: 1 }]);
});

test('a burst is acknowledged in batches, and its rest soon', async () => {
  const { socket } = await notes();
  for (let i = 1; i <= 70; i++) socket.envelope(i);
  assert.deepEqual(socket.sentOf('ack').map((ack) => ack.count), [1, 33, 65]);
  await clock.advance(100);
  assert.equal(socket.sentOf('ack').at(-1).count, 70);
});

test('a hidden page, whose timers are held back, acknowledges each from its event, and the rest when it is hidden', async () => {
  const { socket } = await notes();
  socket.envelope(1);
  socket.envelope(2);
  window.tell('visibilitychange', 'hidden');
  socket.envelope(3);
  socket.envelope(4);
  assert.deepEqual(socket.sentOf('ack').map((ack) => ack.count), [1, 2, 3, 4]);
});

test('pongs and what the bridge itself says do not count; each connection counts from nought', async () => {
  const { socket } = await notes();
  socket.frame('pong', {});
  socket.frame('bridge.of-the-future', {});
  socket.envelope(1);
  socket.drop();
  const second = await reconnected();
  second.envelope(2);
  assert.deepEqual([socket, second].map((some) => some.sentOf('ack').at(-1).count), [1, 1]);
});

test('an acknowledgement follows the handlers', async () => {
  const { push, socket } = await open();
  let acksMeanwhile;
  push.on('note', () => (acksMeanwhile = socket.sentOf('ack').length));
  socket.envelope(1);
  assert.equal(acksMeanwhile, 0);
  assert.equal(socket.sentOf('ack').length, 1);
});

test('a handler that throws is reported, stops no other one, and the envelope is acknowledged', async () => {
  const { push, socket, of } = await open();
  const error = new Error('broken');
  const got = [];
  push.on('note', () => {
    throw error;
  });
  push.on('note', (payload) => got.push(payload.text));
  socket.envelope(1);
  assert.deepEqual(got, ['m1']);
  assert.deepEqual(of('error').map((detail) => [detail.kind, detail.error, detail.envelope.seq]), [['handler', error, 1]]);
  assert.equal(socket.sentOf('ack').at(-1).count, 1);
});

test('with ackOnError false it comes again, in order with what is behind it', async () => {
  const { push, socket, of } = await open({ ackOnError: false });
  const got = [];
  let broken = true;
  push.on('note', (payload, envelope) => {
    if (envelope.seq === 2 && broken) throw new Error('not now');
    got.push(envelope.seq);
  });
  for (const seq of [1, 2]) socket.envelope(seq);
  assert.equal(push.state, 'waiting');
  broken = false;
  const second = await reconnected();
  assert.equal(second.url.searchParams.get('resume'), null);
  assert.deepEqual(of('gap'), [{ address: 'user.42' }]);
  for (const seq of [2, 3]) second.envelope(seq);
  assert.deepEqual(got, [1, 2, 3]);
});

test('a rejected promise is reported', async () => {
  const { push, socket, of } = await open();
  push.on('note', async () => {
    throw new Error('later');
  });
  socket.envelope(1);
  await settled();
  assert.equal(of('error')[0].error.message, 'later');
});

test('with both, what is behind the one that failed is not handled before it comes again', async () => {
  const { push, socket } = await open({ ackOnError: false, awaitHandlers: true });
  const begun = [];
  let broken = true;
  push.on('note', async (payload, envelope) => {
    begun.push(envelope.seq);
    if (broken) throw new Error('not now');
  });
  for (const seq of [1, 2]) socket.envelope(seq);
  await settled();
  assert.deepEqual([begun, socket.sentOf('ack')], [[1], []]);
  broken = false;
  const second = await reconnected();
  for (const seq of [1, 2]) second.envelope(seq);
  await settled();
  assert.deepEqual(begun, [1, 1, 2]);
});

test('with awaitHandlers the next envelope and the acknowledgement wait for the promise', async () => {
  const { push, socket } = await open({ awaitHandlers: true });
  const begun = [];
  const ends = [];
  push.on('note', (payload, envelope) => {
    begun.push(envelope.seq);
    return new Promise((resolve) => ends.push(resolve));
  });
  socket.envelope(1);
  socket.envelope(2);
  await settled();
  assert.deepEqual([begun, socket.sentOf('ack')], [[1], []]);
  ends[0]();
  await settled();
  assert.deepEqual([begun, socket.sentOf('ack').length], [[1, 2], 1]);
});

// -- what should not be there

test('duplicates are dropped and acknowledged, also those that come over another connection', async () => {
  const { socket, got, of } = await notes();
  socket.envelope(1);
  socket.envelope(1);
  socket.drop();
  const second = await reconnected();
  second.envelope(1);
  second.envelope(2);
  assert.deepEqual(got, ['m1', 'm2']);
  assert.equal(of('duplicate').length, 2);
  await clock.advance(100);
  assert.equal(second.sentOf('ack').at(-1).count, 2);
});

test('the same address and seq with another text is delivered and reported', async () => {
  const { socket, got, of } = await notes();
  socket.envelope(1, { text: 'one' });
  socket.envelope(1, { text: 'two' });
  socket.envelope(1, { text: 'one' });
  assert.deepEqual(got, ['one', 'two']);
  assert.deepEqual(of('seq-conflict').map((envelope) => envelope.payload.text), ['two']);
});

test('the same seq at another address is no duplicate', async () => {
  const { socket, got } = await notes();
  socket.envelope(1);
  socket.envelope(1, { to: 'all' });
  assert.equal(got.length, 2);
});

test('the memory for duplicates is bounded', () => {
  const texts = new Seen();
  const verdicts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'h', 'i', 'a'].map((text) => texts.add({ to: 'all', seq: 1 }, text));
  assert.deepEqual(verdicts, ['new', ...Array(7).fill('conflict'), 'duplicate', 'conflict', 'conflict'], 'eight texts of one seq');
  const seen = new Seen(2);
  const add = (seq) => seen.add({ to: 'all', seq }, 'text');
  assert.deepEqual([add(1), add(2), add(3), add(3), add(1)], ['new', 'new', 'new', 'duplicate', 'new']);
});

for (const [what, data] of [
  ['no JSON', '{"to":'],
  ['a list', '[]'],
  ['null', 'null'],
  ['no text', new ArrayBuffer(2)],
  ['no address', '{"type":"note","payload":{},"seq":1}'],
  ['no payload', '{"type":"note","to":"all","seq":1}'],
  ['a type that is a number', '{"type":1,"to":"all","payload":{},"seq":1}'],
  ['a seq that is text', '{"type":"note","to":"all","payload":{},"seq":"1"}'],
  ['a seq beyond what numbers can tell apart', '{"type":"note","to":"all","payload":{},"seq":9007199254740993}'],
  ['bytes that would be an envelope', Buffer.from('{"type":"note","to":"all","payload":{},"seq":1}')],
]) {
  test(`a bad frame (${what}) is reported as it came, counted, and stops nothing`, async () => {
    const { socket, got, of } = await notes();
    socket.raw(data);
    socket.envelope(2);
    assert.deepEqual(of('error'), [{ kind: 'bad-frame', data }]);
    assert.deepEqual(got, ['m2']);
    await clock.advance(100);
    assert.equal(socket.sentOf('ack').at(-1).count, 2);
  });
}

// -- gaps

test('it comes back with the id of its last connection; nothing is a gap when the bridge says complete', async () => {
  const { push, socket, of } = await open();
  push.channel('news');
  socket.frame('bridge.subscribed', { channel: 'news', complete: false }, socket.sentOf('subscribe')[0].seq);
  socket.drop();
  await nextSocket();
  const second = FakeSocket.last;
  assert.equal(second.url.searchParams.get('resume'), 'c1');
  assert.equal(second.url.searchParams.get('user'), '42');
  second.welcome({ complete: true });
  second.frame('bridge.subscribed', { channel: 'news', complete: true }, second.sentOf('subscribe')[0].seq);
  assert.deepEqual(of('gap'), []);
});

test('otherwise each address is reported', async () => {
  const { push, socket, of } = await open();
  push.channel('news');
  socket.frame('bridge.subscribed', { channel: 'news', complete: false }, socket.sentOf('subscribe')[0].seq);
  socket.drop();
  const second = await reconnected();
  second.frame('bridge.subscribed', { channel: 'news', complete: false }, second.sentOf('subscribe')[0].seq);
  assert.deepEqual(of('gap'), [{ address: 'user.42' }, { address: 'channel.news' }]);
});

// -- coming back

test('the pauses are random up to a bound that doubles from 1 to 30 s', async () => {
  const { of } = await connecting({ random: () => 0.999999 });
  const delays = [];
  for (let i = 0; i < 7; i++) {
    FakeSocket.last.drop();
    delays.push(Math.round(of('state').at(-1).delay / 1000));
    await nextSocket();
  }
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 30, 30]);
  const none = await connecting({ random: () => 0 });
  FakeSocket.last.drop();
  assert.equal(none.of('state').at(-1).delay, 0);
});

test('a connection that was stable resets them, one that was not does not', async () => {
  const { socket, of } = await open();
  socket.drop();
  (await reconnected()).drop();
  assert.equal(of('state').at(-1).delay, 1000);
  const third = await reconnected();
  await clock.advance(10_000);
  third.drop();
  assert.equal(of('state').at(-1).delay, 500);
});

for (const code of [4001, 4002, 4003, 4099]) {
  test(`${code} means: do not come back`, async () => {
    const { push, socket, of } = await open();
    socket.drop(code, 'kicked');
    await clock.advance(3_600_000);
    window.tell('online');
    assert.equal(FakeSocket.all.length, 1);
    assert.equal(push.state, 'closed');
    assert.deepEqual(of('error'), [{ kind: 'refused', code, reason: 'kicked' }]);
    assert.equal(clock.pending, 0);
    push.connect();
    await settled();
    assert.equal(FakeSocket.all.length, 2);
  });
}

for (const code of [4201, 4299]) {
  test(`${code} means: at once`, async () => {
    const { socket, of } = await open();
    socket.drop(code);
    assert.equal(of('state').at(-1).delay, 0);
  });
}

for (const code of [1000, 1001, 1006, 1011, 1012, 4100, 4101, 4104, 4199, 4300]) {
  test(`${code} means: with backoff`, async () => {
    const { socket, of } = await open();
    socket.drop(code);
    assert.equal(of('state').at(-1).delay, 500);
  });
}

test('4200 means: at once with a fresh token, but in no hot loop', async () => {
  let tokens = 0;
  const { socket, of } = await open({ token: () => `t${++tokens}` });
  await clock.advance(10_000);
  socket.drop(4200, 'token-expired');
  await clock.advance(0);
  assert.deepEqual(FakeSocket.last.protocols, ['pushbridge.v1', 'bearer.t2']);
  FakeSocket.last.welcome();
  FakeSocket.last.drop(4200, 'token-expired');
  assert.equal(of('state').at(-1).delay, 1000);
});

test('after going-away it comes back when the bridge said', async () => {
  const { push, socket, of } = await open();
  socket.frame('bridge.going-away', { delay: 7_000 });
  assert.equal(push.state, 'open');
  socket.drop(1012, 'service-restart');
  assert.equal(of('state').at(-1).delay, 7_000);
  await clock.advance(6_999);
  assert.equal(FakeSocket.all.length, 1);
  await clock.advance(1);
  assert.equal(FakeSocket.all.length, 2);
});

for (const type of ['online', 'visibilitychange', 'pageshow']) {
  test(`${type} ends the pause at once`, async () => {
    const { socket } = await open();
    socket.drop();
    window.tell(type, 'visible');
    await settled();
    assert.equal(FakeSocket.all.length, 2);
    await clock.advance(10_000);
    assert.equal(FakeSocket.all.length, 2, 'the pause that it ended begins no third one');
  });
}

test('a connection that died in its sleep is found out soon after waking up', async () => {
  const { push, socket } = await open();
  window.tell('pageshow');
  await clock.advance(5_000);
  assert.equal(push.state, 'waiting');
  assert.equal(socket.closedWith, 'none');
});

test('a second awakening does not count what the first one asked', async () => {
  const { push, socket } = await open();
  window.tell('pageshow');
  socket.frame('pong', {}, socket.sentOf('ping').at(-1).seq);
  await clock.advance(4_000);
  window.tell('pageshow');
  await clock.advance(1_500);
  assert.equal(push.state, 'open');
  push.close();
  assert.equal(clock.pending, 0);
});

test('what an old connection still says or hears does not touch the new one', async () => {
  const { push, socket, got, of } = await notes();
  window.tell('pageshow');
  await clock.advance(5_000);
  const second = await reconnected();
  socket.envelope(1);
  socket.drop(4001, 'unauthorized');
  assert.deepEqual([got, of('error'), push.state], [[], [], 'open']);
  second.envelope(1);
  assert.deepEqual(got, ['m1']);
});

test('one that still answers stays', async () => {
  const { push, socket } = await open();
  window.tell('pageshow');
  socket.frame('pong', {}, socket.sentOf('ping').at(-1).seq);
  await clock.advance(5_000);
  assert.equal(push.state, 'open');
});

test('a handshake without an end is given up', async () => {
  const { push } = await connecting();
  await clock.advance(15_000);
  assert.equal(push.state, 'waiting');
});

test('a token that cannot be had is reported, and tried again', async () => {
  let tries = 0;
  const { of } = await connecting({
    token: async () => {
      if (tries++ === 0) throw new Error('offline');
      return 'abc';
    },
  });
  assert.deepEqual(of('error').map((detail) => [detail.kind, detail.error.message]), [['connect', 'offline']]);
  assert.equal(FakeSocket.all.length, 0);
  await clock.advance(1_000);
  assert.equal(FakeSocket.all.length, 1);
});

test('closing while the token is on its way opens nothing', async () => {
  const { push } = await connecting({ token: () => new Promise((resolve) => setImmediate(() => setImmediate(() => resolve('x')))) });
  push.close();
  await settled();
  await settled();
  assert.equal(FakeSocket.all.length, 0);
  assert.equal(clock.pending, 0);
});

test('close acknowledges, closes with 1000, and leaves nothing behind', async () => {
  const { push, socket } = await notes();
  socket.envelope(1);
  socket.envelope(2);
  push.close();
  assert.equal(socket.sentOf('ack').at(-1).count, 2);
  assert.equal(socket.closedWith, 1000);
  assert.equal(push.state, 'closed');
  assert.equal(clock.pending, 0);
});

// -- heartbeat and token

test('it pings every 25 to 30 s, and two misses mean dead', async () => {
  const { push, socket } = await open();
  const pings = () => socket.sentOf('ping').length;
  assert.equal(pings(), 1, 'one at the welcome, for the round trip');
  await clock.advance(27_500);
  assert.equal(pings(), 2);
  await clock.advance(27_500);
  assert.equal(pings(), 3);
  assert.equal(push.state, 'open');
  await clock.advance(27_500);
  assert.equal(push.state, 'waiting');
});

test('whatever arrives is a sign of life', async () => {
  const { push, socket } = await open();
  for (let i = 0; i < 10; i++) {
    await clock.advance(27_500);
    socket.envelope(i);
  }
  assert.equal(push.state, 'open');
});

test('a pong tells the round trip', async () => {
  const { push, socket, of } = await open();
  push.ping();
  await clock.advance(12);
  socket.frame('pong', {}, socket.sentOf('ping')[0].seq); // of the ping before
  socket.frame('pong', {}, socket.sentOf('ping').at(-1).seq);
  assert.deepEqual(of('round-trip'), [12]);
});

test('an open connection is renewed at 80% of the time that the token has left, again and again', async () => {
  let tokens = 0;
  const { of } = await connecting({ token: async () => `t${++tokens}` });
  const socket = FakeSocket.last;
  socket.welcome({ expiresAt: clock.time / 1000 + 100 });
  await clock.advance(79_000);
  assert.equal(socket.sentOf('auth').length, 0);
  socket.frame('pong', {});
  await clock.advance(1_000);
  const auth = socket.sentOf('auth');
  assert.deepEqual(auth.map((frame) => frame.payload), [{ token: 't2' }]);
  socket.frame('bridge.renewed', { expiresAt: clock.time / 1000 + 10 }, auth[0].seq);
  await clock.advance(8_000);
  assert.equal(socket.sentOf('auth').length, 2);
  assert.equal(of('renewed').length, 1);
});

test('a token that lasts seconds is renewed no sooner than 5 s after it was given', async () => {
  let tokens = 0;
  await connecting({ token: async () => `t${++tokens}` });
  const socket = FakeSocket.last;
  socket.welcome({ expiresAt: clock.time / 1000 + 2 });
  await clock.advance(4_999);
  assert.equal(socket.sentOf('auth').length, 0);
  await clock.advance(1);
  assert.equal(socket.sentOf('auth').length, 1);
});

test('a renewal for which there is no token is reported; the connection stays until the bridge ends it', async () => {
  let tokens = 0;
  const { push, of } = await connecting({
    token: async () => {
      if (++tokens > 1) throw new Error('logged out');
      return 't1';
    },
  });
  FakeSocket.last.welcome({ expiresAt: clock.time / 1000 + 20 });
  await clock.advance(16_000);
  assert.deepEqual(of('error').map(({ kind, error }) => [kind, error.message]), [['token', 'logged out']]);
  assert.equal(push.state, 'open');
});

test('an expiry in months asks for no timer longer than browsers have', async () => {
  const asked = [];
  const runtime = clock.runtime({ window });
  await connecting({ token: async () => 't', runtime: { ...runtime, setTimeout: (task, ms) => asked.push(ms) && runtime.setTimeout(task, ms) } });
  FakeSocket.last.welcome({ expiresAt: clock.time / 1000 + 365 * 86_400 });
  assert.equal(Math.max(...asked), 2 ** 31 - 1);
});

test('a clock that is wrong makes no storm of tokens', async () => {
  let tokens = 0;
  await connecting({ token: async () => `t${++tokens}` });
  FakeSocket.last.welcome({ expiresAt: clock.time / 1000 - 3_600 });
  await clock.advance(20_000);
  assert.equal(tokens, 1);
});

test('where there is no WebSocket it says at once what it needs', () => {
  assert.throws(() => new PushClient('wss://push.example/ws', { WebSocket: undefined }), /Node 22, or the option WebSocket/);
});

test('it works where there is neither window nor document', async () => {
  const { push, got, socket } = await notes({ runtime: clock.runtime({ window: {} }) });
  socket.envelope(1);
  push.close();
  assert.deepEqual(got, ['m1']);
});
