import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Bridge, Proxy, Site, connect, events, freePort, freeze, launch, packages, publish, received, seqs, startChat, stopAll, until, upTo } from './harness.mjs';

let browser, bridge, context;
let nextUser = 1;
let user; // each test's own

before(async () => {
  [browser, bridge] = await Promise.all([launch(), Bridge.start()]);
});
after(async () => {
  await browser?.close();
  await stopAll();
});
afterEach(() => context?.close());

async function open(url = bridge.url(), options) {
  user = `u${nextUser++}`;
  context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

const states = async (page) => (await events(page, 'state')).map(({ state, code }) => (code === undefined ? state : `${state} ${code}`));
const inOrder = (page, count) => received(page, count).then(async () => assert.deepEqual(await seqs(page), upTo(count)));
const settled = () => until('all is settled', async () => (await bridge.metric('pushbridge_instructions_unsettled')) === 0);

test('messages arrive in order and are acknowledged', async () => {
  const page = await open();
  await connect(page, { user });
  await publish(`user.${user}`, 300);
  await received(page, 300);
  assert.deepEqual(await seqs(page), upTo(300));
  await settled();
});

test('a channel reaches who joined it, until they leave', async () => {
  const page = await open();
  await connect(page, { user, channels: ['sea', 'sky'] });
  await until('both are subscribed to', async () => (await events(page, 'subscribed')).length === 2);
  await publish('channel.sea', 1, { first: 1 });
  await received(page, 1);
  await page.evaluate(() => window.push.channel('sea').leave());
  await publish('channel.sea', 1, { first: 2 });
  await publish('channel.sky', 1, { first: 3 });
  await received(page, 2);
  assert.deepEqual(await seqs(page), [1, 3]);
});

test('1,000 messages flow while the bridge is killed and started again: the page shows each once, in order', async () => {
  const page = await open();
  await connect(page, { user });
  await page.evaluate(() =>
    window.push.on('note', (payload, envelope) => {
      const item = document.createElement('li');
      item.textContent = `${envelope.to} ${envelope.seq}`;
      document.body.append(item);
    }),
  );
  let done = false;
  const published = publish(`user.${user}`, 1000, { rate: 400 }).then(() => (done = true));
  await received(page, 150);
  await bridge.end('SIGKILL');
  assert.equal(done, false, 'the application was in the middle of it');
  await bridge.start();
  await published;
  await received(page, 1000);
  await settled();
  const shown = await page.locator('body > li').allTextContents();
  assert.deepEqual(shown, upTo(1000).map((seq) => `user.${user} ${seq}`));
  assert.deepEqual(await events(page, 'gap'), [{ address: `user.${user}` }], 'a new bridge does not know what was missed');
  const heard = await states(page);
  assert.ok(heard.includes('waiting 1006'));
  assert.equal(heard.at(-1), 'open');
});

test('after the network was cut, what came meanwhile is there once, in order, and nothing was missed', async () => {
  const proxy = await Proxy.start(bridge.port);
  const page = await open(proxy.url());
  await connect(page, { user });
  await publish(`user.${user}`, 10);
  await received(page, 10);
  proxy.cut();
  await until('the page has noticed', () => page.evaluate(() => window.push.state === 'waiting'));
  await publish(`user.${user}`, 40, { first: 11 });
  proxy.mend();
  await received(page, 50);
  assert.deepEqual(await seqs(page), upTo(50));
  assert.deepEqual(await events(page, 'gap'), []);
  proxy.stop();
});

test('a network that swallows everything is noticed as soon as the page is looked at', async () => {
  const proxy = await Proxy.start(bridge.port);
  const page = await open(proxy.url());
  await connect(page, { user });
  await publish(`user.${user}`, 1);
  await received(page, 1);
  proxy.hang();
  await publish(`user.${user}`, 20, { first: 2 });
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
  await received(page, 21);
  assert.deepEqual(await seqs(page), upTo(21));
  proxy.stop();
});

test('a frozen page whose connection goes meanwhile misses nothing', async () => {
  const proxy = await Proxy.start(bridge.port);
  const page = await open(proxy.url());
  await connect(page, { user });
  const wake = await freeze(page);
  await publish(`user.${user}`, 30);
  proxy.cut();
  proxy.mend();
  assert.deepEqual([await seqs(page), await states(page)], [[], ['open']], 'it notices nothing of all this');
  await wake();
  await received(page, 30);
  assert.deepEqual(await seqs(page), upTo(30));
  proxy.stop();
});

test('a duplicate is dropped; the same seq with another text is delivered and reported', async () => {
  const page = await open();
  await connect(page, { user });
  await publish(`user.${user}`, 1, { first: 7 });
  await publish(`user.${user}`, 1, { first: 7 });
  await received(page, 1);
  await until('the second one has come', async () => (await events(page, 'duplicate')).length === 1);
  await page.evaluate(
    (to) =>
      fetch('/dev/publish', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ to, type: 'note', payload: { other: true }, seq: 7 }),
      }),
    `user.${user}`,
  );
  await received(page, 2);
  assert.deepEqual(await seqs(page), [7, 7]);
  assert.equal((await events(page, 'seq-conflict')).length, 1);
  await settled();
});

test('a bad frame is reported as it came, and the stream goes on', async () => {
  const proxy = await Proxy.start(bridge.port);
  const page = await open(proxy.url());
  await connect(page, { user });
  await publish(`user.${user}`, 1);
  await received(page, 1);
  proxy.inject('{"half');
  await until('it is reported', async () => (await events(page, 'error')).length === 1);
  assert.deepEqual(await events(page, 'error'), [{ kind: 'bad-frame', data: '{"half' }]);
  await publish(`user.${user}`, 5, { first: 2 });
  await received(page, 6);
  assert.deepEqual(await seqs(page), upTo(6));
  proxy.stop();
});

test('two tabs share one connection; when the one that has it closes, the other takes over without a loss', async () => {
  const first = await open();
  const second = await context.newPage();
  await second.goto(bridge.url());
  const before = await bridge.metric('pushbridge_users');
  await connect(first, { user, shared: true });
  await connect(second, { user, shared: true });
  assert.equal(await bridge.metric('pushbridge_users'), before + 1);
  assert.deepEqual(await Promise.all([first, second].map((tab) => tab.evaluate(() => window.push.leader))), [true, false]);
  await second.evaluate(() => window.push.channel('tabs').on('note', () => (window.overChannel = true)));
  await until('the leader has subscribed', async () => (await events(second, 'subscribed')).length === 1);
  await publish('channel.tabs', 1, { first: 100 });
  for (const tab of [first, second]) await received(tab, 1); // nothing orders one address and another
  await publish(`user.${user}`, 20);
  for (const tab of [first, second]) {
    await received(tab, 21);
    assert.deepEqual(await seqs(tab), [100, ...upTo(20)]);
  }
  assert.ok(await second.evaluate(() => window.overChannel));
  await first.close();
  await publish(`user.${user}`, 20, { first: 21 });
  await received(second, 41);
  assert.deepEqual(await seqs(second), [100, ...upTo(40)]);
  assert.ok(await second.evaluate(() => window.push.leader));
});

test('the tab that has the connection is frozen: another one takes over; awake again it shows all, once and in order', async () => {
  const first = await open();
  const second = await context.newPage();
  await second.goto(bridge.url());
  await connect(first, { user, shared: true });
  await connect(second, { user, shared: true });
  await publish(`user.${user}`, 10);
  for (const tab of [first, second]) await received(tab, 10);
  const wake = await freeze(first);
  await publish(`user.${user}`, 30, { first: 11 });
  await inOrder(second, 40);
  assert.ok(await second.evaluate(() => window.push.leader));
  await wake();
  await inOrder(first, 40);
  await until('it follows', () => first.evaluate(() => !window.push.leader));
  await publish(`user.${user}`, 10, { first: 41 });
  for (const tab of [first, second]) await inOrder(tab, 50);
  const connections = await Promise.all([first, second].map((tab) => tab.evaluate(() => window.push.connection)));
  assert.equal(connections[0], connections[1], 'they share one again');
  await second.close();
  await publish(`user.${user}`, 10, { first: 51 });
  await inOrder(first, 60);
});

test('a bridge that goes away says so, and the page comes back when it was told', async () => {
  const page = await open();
  await connect(page, { user });
  assert.equal(await bridge.end('SIGTERM'), 0);
  await until('the page has noticed', async () => (await events(page, 'state')).some(({ code }) => code === 1012));
  const [{ delay }] = await events(page, 'going-away');
  const left = (await events(page, 'state')).find(({ code }) => code === 1012);
  assert.equal(left.delay, delay);
  await publish(`user.${user}`, 10);
  await bridge.start();
  await received(page, 10);
  assert.deepEqual(await seqs(page), upTo(10));
});

test('the demo page lets in nothing from elsewhere and nothing inline', async () => {
  const page = await open(bridge.url('/?user=demo'));
  const elsewhere = await freePort();
  const violations = await page.evaluate(async (elsewhere) => {
    const seen = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => seen.push(effectiveDirective));
    const add = (name, attributes) => document.body.append(Object.assign(document.createElement(name), attributes));
    add('script', { textContent: 'window.hacked = true' });
    add('script', { src: `http://127.0.0.1:${elsewhere}/x.js` });
    add('style', { textContent: 'body { display: none }' });
    add('img', { src: `http://127.0.0.1:${elsewhere}/x.png` });
    add('iframe', { src: '/' });
    document.body.insertAdjacentHTML('beforeend', '<img src="/favicon.svg" onload="window.hacked = true">');
    await fetch(`http://127.0.0.1:${elsewhere}/`).catch(() => {});
    try {
      new WebSocket(`ws://127.0.0.1:${elsewhere}/`);
    } catch {}
    for (let i = 0; i < 100 && seen.length < 8; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    return seen.sort();
  }, elsewhere);
  assert.deepEqual(violations, [
    'connect-src',
    'connect-src',
    'frame-src',
    'img-src',
    'script-src-attr',
    'script-src-elem',
    'script-src-elem',
    'style-src-elem',
  ]);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
});

test('the demo page publishes, shows, joins, leaves, changes its user, disconnects and comes back', async () => {
  const errors = [];
  const page = await open(bridge.url('/?user=demo&channels=news'));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  const state = (wanted) => until(`it is ${wanted}`, async () => (await page.getAttribute('#state', 'data-state')) === wanted);
  const shown = (text) => until(`${text} is shown`, async () => (await page.textContent('#messages')).includes(text));
  const post = async (to, text) => {
    await page.fill('#publish [name=to]', to);
    await page.fill('#publish [name=payload]', JSON.stringify({ text }));
    await page.click('#publish button');
    await shown(text);
  };
  await state('open');
  await post('user.demo', 'hello 👋 <b>bold</b>');
  assert.equal(await page.locator('#messages b').count(), 0);
  await page.fill('#join [name=channel]', 'sport');
  await page.click('#join button');
  await post('channel.sport', 'goal');
  await page.click('[aria-label="Leave sport"]');
  await page.fill('#connect [name=user]', 'other');
  await page.click('#connect button');
  await state('open');
  await post('user.other', 'for another');
  assert.match(await page.textContent('#trip'), /^[0-9.]+ ms$/);
  assert.equal(await page.textContent('#count'), '3');
  await page.click('#toggle');
  await state('closed');
  await page.click('#toggle');
  await state('open');
  await page.fill('#publish [name=payload]', '{');
  await page.click('#publish button');
  await until('the mistake is named', async () => (await page.textContent('#outcome')).includes('not JSON'));
  assert.ok(page.url().endsWith('?user=other&channels=news'));
  assert.deepEqual(errors, []);
});

test('the message board in PHP: two visitors see text and emoji, and scripts only as text', async () => {
  const url = await startChat(bridge);
  const first = await open(url);
  const other = await browser.newContext();
  const second = await other.newPage();
  await second.goto(url);
  for (const page of [first, second]) {
    await until('it listens', async () => (await page.getAttribute('#state', 'data-listening')) === 'true');
  }
  const attempt = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> 🎉 "quotes" & Ümläute';
  await first.fill('[name=text]', attempt);
  await first.click('button');
  await second.locator('#messages li').waitFor();
  await second.fill('[name=text]', 'second 🙂');
  await second.click('button');
  for (const page of [first, second]) {
    await until('both are shown', async () => (await page.locator('#messages li').count()) === 2);
    const texts = await page.locator('#messages li').allTextContents();
    assert.match(texts[0], /^guest-\d+ /);
    assert.equal(texts[0].replace(/^guest-\d+ /, ''), attempt);
    assert.equal(texts[1].replace(/^guest-\d+ /, ''), 'second 🙂');
    assert.equal(await page.locator('#messages img, #messages script').count(), 0);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
  }
  const names = await Promise.all([first, second].map((page) => page.textContent('strong')));
  assert.notEqual(names[0], names[1]);
  await first.reload();
  assert.equal(await first.textContent('strong'), names[0], 'the session remembers who it is');
  await other.close();
});

// -- tokens, which a real bridge checks, and which are over within seconds

/** A page of a site with a bridge of its own. */
async function openSite(lifetime) {
  const site = await Site.start();
  const guarded = await Bridge.start(site.settings);
  site.lifetime = lifetime;
  const page = await open(site.url());
  return { site, guarded, page, at: guarded.url('') };
}

test('a token that is over is refused, and the page comes back with a fresh one', async () => {
  const { site, guarded, page, at } = await openSite((before) => (before === 0 ? -10 : 3600));
  await connect(page, { user, at });
  assert.equal(site.given.length, 2);
  assert.deepEqual(await states(page), ['waiting 1006', 'connecting', 'open']);
  await publish(`user.${user}`, 10, site);
  await inOrder(page, 10);
  site.stop();
  await guarded.end('SIGKILL');
});

test('an open connection is renewed before its token is over, and lives on', async () => {
  const { site, guarded, page, at } = await openSite((before) => (before === 0 ? 20 : 3600));
  await connect(page, { user, at, channels: ['news', 'secret'] });
  await until('the channels are answered', async () => (await events(page, 'subscribed')).length === 1 && (await events(page, 'error')).length === 1);
  assert.equal((await events(page, 'subscribed'))[0].channel, 'news');
  const [{ kind, code, request }] = await events(page, 'error');
  assert.deepEqual([kind, code, request.payload], ['bridge', 'forbidden', { channel: 'secret' }]);
  await until('it is renewed', async () => (await events(page, 'renewed')).length === 1);
  assert.deepEqual(site.given.map(({ exp }) => exp).slice(1), (await events(page, 'renewed')).map(({ expiresAt }) => expiresAt));
  await until('the first token is over, long enough for the bridge to have noticed', () => Date.now() / 1000 > site.given[0].exp + 3);
  await publish('channel.news', 1, { first: 100, exchange: site.exchange });
  await received(page, 1);
  assert.deepEqual(await states(page), ['open'], 'the first connection is still the one');
  site.stop();
  await guarded.end('SIGKILL');
});

test('a token that runs out closes with 4200: the page is back at once with a fresh one, and nothing is missing', async () => {
  const { site, guarded, page, at } = await openSite(3); // shorter than the least pause between renewals
  await connect(page, { user, at });
  await publish(`user.${user}`, 300, { rate: 50, exchange: site.exchange });
  await inOrder(page, 300);
  const closed = (await events(page, 'state')).filter(({ code }) => code === 4200);
  assert.ok(closed.length > 0);
  const { state, reason, delay } = closed[0];
  assert.deepEqual({ state, reason, delay }, { state: 'waiting', reason: 'token-expired', delay: 0 });
  const opened = (await events(page, 'state')).filter(({ state }) => state === 'open').length;
  assert.ok(site.given.length >= opened, 'a token for each connection');
  assert.deepEqual(await events(page, 'gap'), []);
  site.stop();
  await guarded.end('SIGKILL');
});

// -- where there is no page

test('a worker and a shared worker, from a page of another origin, get everything over a restart of the bridge', async () => {
  const { site, guarded, page, at } = await openSite(3600);
  site.files.set('/worker.js', [
    'text/javascript',
    `import { PushClient } from '${at}/client/pushbridge-client.js';
     const push = new PushClient('${at}/ws', { token: async () => (await fetch('/token' + location.search)).text() });
     const ports = globalThis.postMessage ? [globalThis] : [];
     const tell = (message) => ports.forEach((port) => port.postMessage(message));
     globalThis.onconnect = ({ ports: [port] }) => ports.push(port) && tell(push.state);
     push.addEventListener('state', ({ detail }) => tell(detail.state));
     push.on('note', (payload, { seq }) => tell(seq));`,
  ]);
  const other = await context.newPage();
  await other.goto(site.url());
  for (const [some, kinds] of [[page, ['Worker', 'SharedWorker']], [other, ['SharedWorker']]]) {
    await some.evaluate(
      ({ user, kinds }) => {
        window.seqs = Object.fromEntries(kinds.map((kind) => [kind, []]));
        window.states = {};
        for (const kind of kinds) {
          const worker = new globalThis[kind](`/worker.js?user=${user}-${kind}`, { type: 'module' });
          worker.onerror = (event) => (window.states[kind] = `error: ${event.message}`);
          (worker.port ?? worker).onmessage = ({ data }) => (typeof data === 'number' ? window.seqs[kind].push(data) : (window.states[kind] = data));
        }
      },
      { user, kinds },
    );
    await until('they are connected', () => some.evaluate(() => Object.keys(window.seqs).every((kind) => window.states[kind] === 'open')));
  }
  const all = async (count) => {
    for (const some of [page, other]) {
      await until(`${count} have arrived`, () => some.evaluate((count) => Object.values(window.seqs).every(({ length }) => length >= count), count));
      for (const got of Object.values(await some.evaluate(() => window.seqs))) assert.deepEqual(got, upTo(count));
    }
  };
  // A user each: what one device has, another one that was away does not get.
  const publishToBoth = (options) =>
    Promise.all(['Worker', 'SharedWorker'].map((kind) => publish(`user.${user}-${kind}`, 100, { exchange: site.exchange, ...options })));
  await publishToBoth();
  await all(100);
  await guarded.end('SIGKILL');
  await publishToBoth({ first: 101 });
  await guarded.start();
  await all(200);
  site.stop();
  await guarded.end('SIGKILL');
});

/** As in a page; what is given is the WebSocket to use. */
async function worksInNode(name, options) {
  const { PushClient } = await import('../../pushbridge-client.js');
  const push = new PushClient(`ws://127.0.0.1:${bridge.port}/ws?user=${name}`, options);
  const got = [];
  push.on('note', (payload, envelope) => got.push(envelope.seq));
  await until('it is open', () => push.state === 'open');
  await publish(`user.${name}`, 100);
  await until('all are there', () => got.length >= 100);
  assert.deepEqual(got, upTo(100));
  await settled();
  await bridge.end('SIGKILL');
  await until('it has noticed', () => push.state === 'waiting');
  await bridge.start();
  await publish(`user.${name}`, 100, { first: 101 });
  await until('all are there', () => got.length >= 200);
  assert.deepEqual(got, upTo(200));
  push.close();
}

test("the library works in Node with Node's own WebSocket", { skip: !globalThis.WebSocket && 'this Node has none' }, () => worksInNode('node'));

test('the library works in Node with the WebSocket of the package ws', () => worksInNode('ws', { WebSocket: packages('ws') }));
