// What the browser tests stand on: real bridges, a real Chromium, an application in PHP, and a proxy that fails on command.
// scripts/suites/40-browser.sh brings RabbitMQ and says in the environment where everything is.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

const env = process.env;
/** What npm installed for the tests. */
export const packages = createRequire(path.join(env.PUSHBRIDGE_TEST_PACKAGES, 'x.js'));
export const root = path.resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../..');
const PATIENCE_MS = 120_000; // for a busy machine; nothing waits longer than it has to

/** Asks until the answer is true. */
export async function until(what, question) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const given = new Set();

/** Below the range that systems give to outgoing connections, so that a bridge finds it free again after a restart. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise((resolve) => {
      const server = net.createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free && !given.has(port)) {
      given.add(port);
      return port;
    }
  }
}

export function get(port, path) {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        let body = '';
        response.on('data', (data) => (body += data)).on('end', () => resolve({ status: response.statusCode, body }));
      })
      .on('error', reject);
  });
}

const children = new Set();
const servers = new Set();

/** Starts a program whose output is kept, and which ends with the tests. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.output += data));
  children.add(child);
  child.ended = new Promise((resolve) =>
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve(code ?? signal);
    }),
  );
  child.on('error', (error) => (child.output += error));
  return child;
}

/** Ends whatever is left. */
export async function stopAll() {
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
  const left = [...children];
  for (const child of left) child.kill('SIGKILL');
  await Promise.all(left.map((child) => child.ended));
}

/** A bridge on ports that stay the same over restarts. */
export class Bridge {
  #settings;
  #process;

  /** @param until 'ready', or for one that is to stand by 'live' */
  static async start(settings = {}, until = 'ready') {
    const bridge = new Bridge();
    bridge.port = await freePort();
    bridge.adminPort = await freePort();
    bridge.#settings = settings;
    await bridge.start(until);
    return bridge;
  }

  async start(state = 'ready') {
    const settings = {
      'amqp.uri': env.PUSHBRIDGE_TEST_AMQP_URI,
      'auth.mode': 'dev',
      'socket.port': this.port,
      'admin.port': this.adminPort,
      'intake.start-delay': '1s',
      'shutdown.grace': '4s',
      ...this.#settings,
    };
    const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    this.#process = start(path.join(env.PUSHBRIDGE_TEST_DISTRIBUTION, 'bin/pushbridge'), ['serve', ...args]);
    const { ended } = this.#process;
    let status;
    ended.then((code) => (status = code));
    await until(`the bridge is ${state}`, async () => {
      if (status !== undefined) throw new Error(`the bridge ended with ${status}:\n${this.#process.output}`);
      return get(this.adminPort, `/health/${state}`).then(({ status }) => status === 200, () => false);
    });
  }

  get log() {
    return this.#process.output;
  }

  async end(signal) {
    this.#process.kill(signal);
    return this.#process.ended;
  }

  async metric(name) {
    const { body } = await get(this.adminPort, '/metrics');
    return Number(body.split('\n').find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))?.split(' ').at(-1));
  }

  url(path = '/?user=&channels=') {
    return `http://127.0.0.1:${this.port}${path}`;
  }
}

/** The application: publishes COUNT notes to an address with confirms, so many a second; ends when all are confirmed. */
export function publish(address, count, { first = 1, rate = 0, exchange = 'push' } = {}) {
  const child = start('php', [path.join(root, 'bridge/client/test/browser/publish.php'), exchange, address, first, count, rate], {
    env: { ...env, PUSHBRIDGE_AMQP_URI: env.PUSHBRIDGE_TEST_AMQP_URI },
  });
  return child.ended.then((status) => {
    if (status !== 0) throw new Error(`publishing ended with ${status}: ${child.output}`);
  });
}

/** PHP's own server for the message board, and the front that gives it and the bridge one address. */
export async function startChat(bridge) {
  const chat = path.join(root, 'bridge/examples/chat');
  const [php, front] = [await freePort(), await freePort()];
  start('php', ['-S', `127.0.0.1:${php}`, 'index.php'], {
    cwd: chat,
    env: { ...env, PUSHBRIDGE_AMQP_URI: env.PUSHBRIDGE_TEST_AMQP_URI },
  });
  start('node', ['front.mjs', front, php, bridge.port], { cwd: chat });
  await until('the message board answers', () => get(front, '/').then(({ status }) => status === 200, () => false));
  return `http://127.0.0.1:${front}/`;
}

/** Between page and bridge; fails when told. */
export class Proxy {
  #pairs = new Set();
  #open = true;

  static async start(target) {
    const proxy = new Proxy();
    proxy.port = await freePort();
    proxy.server = net.createServer((client) => {
      if (!proxy.#open) return client.resetAndDestroy();
      const onward = net.connect(target, '127.0.0.1');
      const pair = { client, onward };
      proxy.#pairs.add(pair);
      client.pipe(onward).pipe(client);
      const end = () => {
        proxy.#pairs.delete(pair);
        client.destroy();
        onward.destroy();
      };
      for (const side of [client, onward]) side.on('error', end).on('close', end);
    });
    servers.add(proxy.server);
    await new Promise((resolve) => proxy.server.listen(proxy.port, '127.0.0.1', resolve));
    return proxy;
  }

  /** Resets all connections and refuses new ones. */
  cut() {
    this.#open = false;
    for (const { client, onward } of [...this.#pairs]) {
      client.resetAndDestroy();
      onward.resetAndDestroy();
    }
  }

  /** Nothing passes any more on what is open, and nobody is told: as when a train enters a tunnel. */
  hang() {
    for (const { client, onward } of this.#pairs) {
      client.unpipe(onward);
      onward.unpipe(client);
    }
  }

  mend() {
    this.#open = true;
  }

  /** Slips a text frame of its own to every page; only while the bridge sends nothing. */
  inject(text) {
    const body = Buffer.from(text);
    for (const { client } of this.#pairs) client.write(Buffer.concat([Buffer.from([0x81, body.length]), body]));
  }

  stop() {
    this.cut();
    this.server.close();
  }

  url(path = '/?user=&channels=') {
    return `http://127.0.0.1:${this.port}${path}`;
  }
}

export const launch = () =>
  packages('playwright-core').chromium.launch({
    executablePath: env.PUSHBRIDGE_TEST_CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/**
 * Stops all that a page does, as browsers do with pages in the background; what it returns wakes it up, still in the background.
 * The driver makes a page believe that it has the focus, and such a page cannot be frozen: its own session has to take that back.
 */
export async function freeze(page) {
  await page.evaluate(() => document.addEventListener('freeze', () => (window.frozen = true)));
  const devtools = page._connection.toImpl(page).delegate._mainFrameSession._client;
  await devtools.send('Emulation.setFocusEmulationEnabled', { enabled: false });
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await until('the page is frozen', () => page.evaluate(() => window.frozen));
  return () => devtools.send('Page.setWebLifecycleState', { state: 'active' });
}

/**
 * In a page: a client for a user, that notes all it hears in `window.seqs` and `window.events`. With the bridge's address in
 * `at` the page comes from elsewhere, and asks its own site for tokens.
 */
export async function connect(page, { user, shared = false, channels = [], at = '' }) {
  await page.evaluate(
    async ({ user, shared, channels, at }) => {
      const { PushClient } = await import(`${at}/client/pushbridge-client.js`);
      const { SharedPushClient } = await import(`${at}/client/pushbridge-tabs.js`);
      window.seqs = [];
      window.events = [];
      const url = at ? `${at}/ws` : `/ws?user=${user}`;
      const options = at ? { token: async () => (await fetch(`/token?user=${user}`)).text() } : {};
      const push = (window.push = new (shared ? SharedPushClient : PushClient)(url, options));
      for (const type of ['state', 'gap', 'seq-conflict', 'duplicate', 'error', 'going-away', 'subscribed', 'renewed']) {
        push.addEventListener(type, (event) => {
          event.preventDefault();
          window.events.push([type, event.detail]);
        });
      }
      push.on('note', (payload, envelope) => window.seqs.push(envelope.seq));
      for (const channel of channels) push.channel(channel);
    },
    { user, shared, channels, at },
  );
  await until('the page is connected', () => page.evaluate(() => window.push.state === 'open'));
}

export const seqs = (page) => page.evaluate(() => window.seqs);
export const events = (page, type) =>
  page.evaluate((type) => window.events.filter(([name]) => name === type).map(([, detail]) => detail), type);
export const received = (page, count) =>
  until(`${count} messages have arrived`, async () => (await page.evaluate(() => window.seqs.length)) >= count);
export const upTo = (count, first = 1) => Array.from({ length: count }, (_, i) => first + i);

/**
 * The application in front of a bridge with tokens, at an origin of its own: an empty page, `/token?user=`, and whatever else
 * a test has it serve. `lifetime` is what the next token gets, in seconds, or a function of how many were given before.
 */
export class Site {
  /** What the tokens said that were given, in order. */
  given = [];
  lifetime = 3600;
  files = new Map([['/', ['text/html', '<!doctype html><title>a page</title>']]]);
  exchange = `push-${randomBytes(4).toString('hex')}`; // two bridges of one name would be owner and standby
  #secret = randomBytes(32).toString('hex');

  static async start() {
    const site = new Site();
    site.port = await freePort();
    site.server = http.createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, 'http://site');
      const [type, body] = pathname === '/token' ? ['text/plain', site.token(searchParams.get('user'))] : (site.files.get(pathname) ?? []);
      response.writeHead(type ? 200 : 404, { 'Content-Type': type ?? 'text/plain', 'Cache-Control': 'no-store' }).end(body ?? '');
    });
    servers.add(site.server);
    await new Promise((resolve) => site.server.listen(site.port, '127.0.0.1', resolve));
    return site;
  }

  /** Settings of the bridge that takes its tokens, until the very second that they name. */
  get settings() {
    return { 'amqp.prefix': this.exchange, 'auth.mode': 'token', 'auth.secret': this.#secret, 'auth.clock-skew': '0s' };
  }

  token(sub) {
    const lifetime = typeof this.lifetime === 'function' ? this.lifetime(this.given.length) : this.lifetime;
    const claims = { sub, channels: ['news'], exp: Math.floor(Date.now() / 1000) + lifetime, jti: String(this.given.length) };
    this.given.push(claims);
    const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${signed}.${createHmac('sha256', this.#secret).update(signed).digest('base64url')}`;
  }

  stop() {
    this.server.closeAllConnections?.();
    this.server.close();
  }

  url(path = '/') {
    return `http://127.0.0.1:${this.port}${path}`;
  }
}
