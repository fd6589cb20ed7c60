import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { SharedPushClient } from '../pushbridge-tabs.js';
import { FakeBrowser, FakeClock, FakeSocket } from './fakes.js';

let browser;
beforeEach(() => {
  FakeSocket.all = [];
  browser = new FakeBrowser(new FakeClock());
});

/** A tab with a client that notes what it hears. */
async function open({ locks, random, ...options } = {}) {
  const tab = browser.tab({ locks, random });
  const push = new SharedPushClient('wss://push.example/ws', { WebSocket: FakeSocket, runtime: tab.runtime, ...options });
  const heard = [];
  for (const type of ['state', 'gap', 'seq-conflict', 'duplicate', 'error', 'going-away', 'subscribed', 'renewed']) {
    push.addEventListener(type, (event) => {
      event.preventDefault();
      heard.push([type, event.detail]);
    });
  }
  const got = [];
  push.on('note', (payload, envelope) => got.push(envelope.seq));
  await browser.run();
  return { tab, push, got, of: (type) => heard.filter(([name]) => name === type).map(([, detail]) => detail) };
}

/** The first of them leads, and is connected. */
async function openAll(count, options) {
  const all = [];
  for (let i = 0; i < count; i++) all.push(await open(options?.[i]));
  const socket = FakeSocket.last;
  socket.welcome();
  await browser.run();
  return [...all, socket];
}

/** The bridge sends to the tab that has this connection; it is handled when that tab runs. */
function send({ tab }, socket, seqs, options) {
  for (const seq of seqs) tab.do(() => socket.readyState === 1 && socket.envelope(seq, options));
}

const upTo = (count, first = 1) => Array.from({ length: count }, (_, i) => first + i);
const acked = (socket) => socket.sentOf('ack').at(-1)?.count;

test('one of them has the connection, all get every envelope once, and know the state', async () => {
  const [first, second, socket] = await openAll(2);
  const third = await open();
  assert.equal(FakeSocket.all.length, 1);
  send(first, socket, upTo(40));
  send(first, socket, [40]);
  await browser.run();
  for (const { push, got } of [first, second, third]) {
    assert.deepEqual(got, upTo(40));
    assert.equal(push.state, 'open');
    assert.equal(push.connection, 'c1');
  }
  assert.deepEqual([first, second, third].map(({ push }) => push.leader), [true, false, false]);
  await browser.advance(100);
  assert.equal(acked(socket), 41);
});

test('the others are told before the leader handles and acknowledges', async () => {
  const [first, second, socket] = await openAll(2);
  let told;
  first.push.on('note', () => (told = second.tab.tasks.length));
  send(first, socket, [1]);
  first.tab.tasks.shift()();
  assert.equal(told, 1);
  assert.equal(acked(socket), 1);
  first.tab.kill();
  await browser.run();
  assert.deepEqual(second.got, [1]);
});

test('when the leader closes, the next one goes on from its connection; what comes again is dropped', async () => {
  const [first, second, third, socket] = await openAll(3);
  send(first, socket, upTo(10));
  await browser.run();
  first.push.close();
  await browser.run();
  assert.equal(socket.closedWith, 1000);
  assert.equal(acked(socket), 10);
  assert.deepEqual([first, second, third].map(({ push }) => push.leader), [false, true, false]);
  assert.deepEqual([second, third].map(({ push }) => push.state), ['connecting', 'connecting']);
  const next = FakeSocket.last;
  assert.equal(next.url.searchParams.get('resume'), 'c1');
  next.welcome({ complete: true });
  send(second, next, upTo(10, 5));
  await browser.run();
  assert.deepEqual([first, second, third].map(({ got }) => got.at(-1)), [10, 14, 14]);
  assert.deepEqual([second, third].map(({ got }) => got), [upTo(14), upTo(14)]);
  for (const { of } of [second, third]) {
    assert.deepEqual(of('state').map(({ state }) => state), ['open', 'connecting', 'open'].slice(-of('state').length));
    assert.ok(!of('state').some(({ state }) => state === 'closed'), 'for them nothing was ever closed');
    assert.deepEqual(of('gap'), []);
  }
  await browser.advance(100);
  assert.equal(acked(next), 10);
});

test('what a leader told before it was killed counts, also when the lock arrives first', async () => {
  const [first, second, socket] = await openAll(2);
  send(first, socket, upTo(3));
  for (let i = 0; i < 3; i++) first.tab.tasks.shift()();
  const told = second.tab.tasks.splice(0);
  assert.equal(told.length, 3);
  first.tab.kill();
  await browser.run();
  assert.equal(second.push.leader, true);
  second.tab.tasks.push(...told);
  FakeSocket.last.welcome({ complete: true });
  send(second, FakeSocket.last, [3, 4]);
  await browser.run();
  assert.deepEqual(second.got, upTo(4));
});

for (const locksLast of [false, true]) {
  test(`a frozen leader is replaced when it was silent; waking up it is told what it missed, and follows${locksLast ? ', though it hears of the lock last' : ''}`, async () => {
    const [first, second, socket] = await openAll(2);
    first.push.channel('news');
    send(first, socket, upTo(5));
    await browser.run();
    first.tab.frozen = true;
    send(first, socket, upTo(5, 6)); // waits in its socket
    await browser.advance(20_000);
    assert.equal(second.push.leader, true);
    const next = FakeSocket.last;
    assert.notEqual(next, socket);
    next.welcome();
    send(second, next, upTo(20, 6));
    await browser.run();
    assert.deepEqual(second.got, upTo(25));
    first.tab.frozen = false;
    first.tab.locksLast = locksLast;
    await browser.run();
    assert.deepEqual(first.got, upTo(25));
    assert.equal(first.push.leader, false);
    assert.equal(socket.closedWith, 1000);
    assert.equal(second.push.leader, true);
    assert.equal(FakeSocket.all.length, 2);
    assert.equal(first.push.connection, 'c2');
    assert.deepEqual(next.sentOf('subscribe').map(({ payload }) => payload.channel), ['news']);
    send(second, next, [26]);
    await browser.run();
    assert.deepEqual([first, second].map(({ got }) => got), [upTo(26), upTo(26)]);
    second.push.close();
    await browser.run();
    assert.equal(first.push.leader, true, 'it stands in the queue again');
  });
}

test('a leader that is told of its freezing hands over at once; awake again it follows', async () => {
  const [first, second, third, socket] = await openAll(3);
  first.push.channel('news');
  second.tab.window.document.dispatchEvent(new Event('freeze')); // it is next in the queue, and must not get the lock
  first.tab.window.document.dispatchEvent(new Event('freeze'));
  assert.equal(socket.closedWith, 1000);
  first.tab.frozen = second.tab.frozen = true;
  await browser.run();
  assert.deepEqual([first, second, third].map(({ push }) => push.leader), [false, false, true]);
  const next = FakeSocket.last;
  assert.equal(next.url.searchParams.get('resume'), 'c1');
  next.welcome({ complete: true });
  send(third, next, upTo(5));
  await browser.run();
  for (const { tab } of [first, second]) {
    tab.frozen = false;
    tab.window.document.dispatchEvent(new Event('resume'));
  }
  await browser.run();
  assert.deepEqual([first, second, third].map(({ got }) => got), [upTo(5), upTo(5), upTo(5)]);
  assert.deepEqual(next.sentOf('subscribe').map(({ payload }) => payload.channel), ['news']);
  third.push.close();
  await browser.run();
  assert.deepEqual([first, second].map(({ push }) => push.leader), [true, false]);
});

test('a tab that is looked at finds out within 4 s', async () => {
  const [first, second] = await openAll(2);
  first.tab.frozen = true;
  second.tab.window.tell('visibilitychange', 'visible');
  await browser.advance(3_900);
  assert.equal(second.push.leader, false);
  await browser.advance(200);
  assert.equal(second.push.leader, true);
});

test('of several tabs one takes over, and the others hear of it in time', async () => {
  const [first, second, third, fourth] = await openAll(4, [{}, { random: () => 0.9 }, { random: () => 0.1 }, { random: () => 0.5 }]);
  first.tab.frozen = true;
  await browser.advance(20_000);
  assert.deepEqual([second, third, fourth].map(({ push }) => push.leader), [false, true, false]);
  FakeSocket.last.welcome();
  await browser.advance(30_000);
  assert.deepEqual([second, third, fourth].map(({ push }) => push.leader), [false, true, false]);
  assert.equal(FakeSocket.all.length, 2);
});

test('a leader whose timers are held back, but who answers, stays', async () => {
  const [first, second] = await openAll(2);
  first.tab.timersHeld = true;
  await browser.advance(600_000);
  assert.deepEqual([first, second].map(({ push }) => push.leader), [true, false]);
  assert.equal(FakeSocket.all.length, 1);
});

test('a tab that was frozen while it waited for the lock does not end up with a second connection', async () => {
  const [first, second, third, socket] = await openAll(3);
  second.tab.frozen = true;
  first.push.close();
  await browser.run();
  assert.equal(second.push.leader, false, 'the lock is its own, but it cannot run');
  await browser.advance(20_000);
  assert.equal(third.push.leader, true);
  FakeSocket.last.welcome();
  const third_ = FakeSocket.last;
  send(third, third_, [1]);
  await browser.run();
  second.tab.frozen = false;
  await browser.run();
  assert.deepEqual([second, third].map(({ push }) => push.leader), [false, true]);
  assert.deepEqual([second, third].map(({ got }) => got), [[1], [1]]);
  const open = FakeSocket.all.filter((some) => some !== socket && some.closedWith === undefined);
  assert.deepEqual(open, [third_]);
});

test('channels: the leader joins for all, leaves when the last has left, and a new leader asks who wants what', async () => {
  const [first, second, third, socket] = await openAll(3);
  const overChannel = [];
  second.push.channel('news').on('note', (payload, envelope) => overChannel.push(envelope.seq));
  third.push.channel('news');
  await browser.run();
  assert.deepEqual(socket.sentOf('subscribe').map(({ payload }) => payload.channel), ['news']);
  send(first, socket, [1], { to: 'channel.news' });
  send(first, socket, [2], { to: 'channel.other' });
  await browser.run();
  assert.deepEqual(overChannel, [1]);
  third.push.channel('news').leave();
  await browser.run();
  assert.deepEqual(socket.sentOf('unsubscribe'), []);
  third.push.channel('sport');
  first.push.close();
  await browser.run();
  FakeSocket.last.welcome();
  await browser.run();
  assert.deepEqual(FakeSocket.last.sentOf('subscribe').map(({ payload }) => payload.channel).sort(), ['news', 'sport']);
  second.push.channel('news').leave();
  await browser.run();
  assert.deepEqual(FakeSocket.last.sentOf('unsubscribe').map(({ payload }) => payload.channel), ['news']);
});

test('a tab that closes leaves its channels', async () => {
  const [, second, socket] = await openAll(2);
  second.push.channel('news');
  second.push.close();
  await browser.run();
  assert.equal(socket.sentOf('unsubscribe').length, 1);
});

test('a tab that closes when the lock is already on its way does not lead', async () => {
  const [first, second] = await openAll(2);
  first.tab.kill();
  second.push.close();
  await browser.run();
  assert.equal(second.push.leader, false);
  assert.equal(FakeSocket.all.length, 1);
});

test('a page that comes back from the cache of pages joins again what it had left', async () => {
  const [, second, socket] = await openAll(2);
  second.push.channel('news');
  await browser.run();
  second.tab.window.tell('pagehide');
  await browser.run();
  assert.equal(socket.sentOf('unsubscribe').length, 1);
  second.tab.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  await browser.run();
  assert.equal(socket.sentOf('subscribe').length, 2);
});

test('a channel that is refused is reported in all tabs', async () => {
  const [first, second, socket] = await openAll(2);
  second.push.channel('secret');
  await browser.run();
  socket.frame('bridge.error', { code: 'forbidden', detail: 'No.', channel: 'secret' }, socket.sentOf('subscribe')[0].seq);
  await browser.run();
  for (const { of } of [first, second]) assert.deepEqual(of('error').map(({ kind, code }) => [kind, code]), [['bridge', 'forbidden']]);
});

test('a handler that fails is reported in its own tab', async () => {
  const [first, second, socket] = await openAll(2);
  second.push.on('note', () => {
    throw new Error('broken');
  });
  second.push.on('note', async () => {
    throw new Error('later');
  });
  first.push.on('note', async () => {
    throw new Error('rejected');
  });
  send(first, socket, [1]);
  await browser.run();
  assert.deepEqual(second.of('error').map(({ kind, error, envelope }) => [kind, error.message, envelope.seq]), [['handler', 'broken', 1], ['handler', 'later', 1]]);
  assert.deepEqual(first.of('error').map(({ kind, error }) => [kind, error.message]), [['handler', 'rejected']]);
  assert.deepEqual([first.got, second.got], [[1], [1]]);
  assert.equal(acked(socket), 1);
});

test('when the bridge says not to come back all are closed, and a new leader does not; any tab can connect again', async () => {
  const [first, second, third, socket] = await openAll(3);
  socket.drop(4003, 'kicked');
  await browser.run();
  assert.deepEqual([first, second, third].map(({ push }) => push.state), ['closed', 'closed', 'closed']);
  for (const { of } of [first, second]) assert.deepEqual(of('error').map(({ kind, code }) => [kind, code]), [['refused', 4003]]);
  first.push.close();
  await browser.advance(60_000);
  assert.equal(second.push.leader, true);
  assert.equal(FakeSocket.all.length, 1);
  third.push.connect();
  await browser.run();
  assert.equal(FakeSocket.all.length, 2);
  FakeSocket.last.welcome();
  await browser.run();
  assert.deepEqual([second, third].map(({ push }) => push.state), ['open', 'open']);
  FakeSocket.last.drop(4003, 'kicked');
  await browser.run();
  await open();
  assert.equal(FakeSocket.all.length, 3, 'so does a tab that is opened');
});

test('after close() nothing is left, and connect() takes part again', async () => {
  const [first, second] = await openAll(2);
  second.push.close();
  assert.equal(second.push.state, 'closed');
  second.push.channel('news');
  first.push.close();
  await browser.run();
  assert.equal(browser.clock.pending, 0);
  second.push.connect();
  await browser.run();
  assert.equal(second.push.leader, true);
  FakeSocket.last.welcome();
  await browser.run();
  assert.deepEqual(FakeSocket.last.sentOf('subscribe').map(({ payload }) => payload.channel), ['news']);
});

test('where there are no locks each tab has its own connection', async () => {
  const first = await open({ locks: false });
  const second = await open({ locks: false });
  assert.equal(FakeSocket.all.length, 2);
  FakeSocket.all.forEach((socket) => socket.welcome());
  for (const [i, some] of [first, second].entries()) send(some, FakeSocket.all[i], upTo(3));
  await browser.run();
  assert.deepEqual([first.got, second.got], [upTo(3), upTo(3)]);
  await browser.advance(100);
  assert.deepEqual(FakeSocket.all.map(acked), [3, 3]);
});
