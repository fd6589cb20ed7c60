// What the browser tests stand on: real bridges, a real Chromium, an application in PHP, and a proxy that fails on command.
// scripts/suites/40-browser.sh brings RabbitMQ and says in the environment where everything is.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

const env = process.env;
const playwright = createRequire(path.join(env.PUSHBRIDGE_TEST_PLAYWRIGHT, 'x.js'))('playwright-core');
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

function start(command, args, options = {}) {
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
  const left = [...children];
  for (const child of left) child.kill('SIGKILL');
  await Promise.all(left.map((child) => child.ended));
}

/** A bridge on ports that stay the same over restarts. */
export class Bridge {
  #settings;
  #process;

  static async start(settings = {}) {
    const bridge = new Bridge();
    bridge.port = await freePort();
    bridge.adminPort = await freePort();
    bridge.#settings = settings;
    await bridge.start();
    return bridge;
  }

  async start() {
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
    await until('the bridge is ready', async () => {
      if (status !== undefined) throw new Error(`the bridge ended with ${status}:\n${this.#process.output}`);
      return get(this.adminPort, '/health/ready').then(({ status }) => status === 200, () => false);
    });
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
export function publish(address, count, { first = 1, rate = 0 } = {}) {
  const child = start('php', [path.join(root, 'bridge/client/test/browser/publish.php'), address, first, count, rate], {
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
  playwright.chromium.launch({
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

/** In a page: a client for a user, that notes all it hears in `window.seqs` and `window.events`. */
export async function connect(page, { user, shared = false, channels = [] }) {
  await page.evaluate(
    async ({ user, shared, channels }) => {
      const { PushClient } = await import('/client/pushbridge-client.js');
      const { SharedPushClient } = await import('/client/pushbridge-tabs.js');
      window.seqs = [];
      window.events = [];
      const push = (window.push = new (shared ? SharedPushClient : PushClient)(`/ws?user=${user}`));
      for (const type of ['state', 'gap', 'seq-conflict', 'duplicate', 'error', 'going-away', 'subscribed', 'renewed']) {
        push.addEventListener(type, (event) => {
          event.preventDefault();
          window.events.push([type, event.detail]);
        });
      }
      push.on('note', (payload, envelope) => window.seqs.push(envelope.seq));
      for (const channel of channels) push.channel(channel);
    },
    { user, shared, channels },
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
 * Stands in for a bridge with tokens: takes those that `admits` does, and keeps every token it saw. It says what the test says.
 */
export class TokenBridge {
  tokens = [];
  renewals = [];
  #socket;

  static async start({ admits, expiresIn }) {
    const fake = new TokenBridge();
    fake.port = await freePort();
    fake.server = http.createServer((request, response) => {
      const file = /^\/client\/(pushbridge-[a-z]+\.js)$/.exec(request.url)?.[1];
      response.writeHead(200, { 'Content-Type': file ? 'text/javascript' : 'text/html' });
      response.end(file ? readFileSync(path.join(root, 'bridge/client', file)) : '<!doctype html><title>a page</title>');
    });
    fake.server.on('upgrade', (request, socket) => {
      socket.on('error', () => {}); // the page may go first
      const token = /^pushbridge\.v1, bearer\.(.+)$/.exec(request.headers['sec-websocket-protocol'])?.[1];
      fake.tokens.push(token);
      if (!admits(token)) return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
      const accept = createHash('sha1').update(key).digest('base64');
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: pushbridge.v1\r\n\r\n`,
      );
      fake.#socket = socket;
      const say = (type, payload, seq = 0) => fake.#frame(0x81, Buffer.from(JSON.stringify({ type, payload, seq })));
      const expiresAt = () => Math.floor(Date.now() / 1000) + expiresIn;
      let rest = Buffer.alloc(0);
      socket.on('data', (data) => {
        for (rest = Buffer.concat([rest, data]); rest.length >= 6; ) {
          const length = rest[1] & 0x7f; // no frame of a test is longer than 125
          if (rest.length < 6 + length) break;
          const body = rest.subarray(6, 6 + length).map((byte, i) => byte ^ rest[2 + (i % 4)]);
          const text = rest[0] === 0x81 ? Buffer.from(body).toString() : '{}';
          rest = rest.subarray(6 + length);
          const { type, payload, seq } = JSON.parse(text);
          if (type === 'ping') say('pong', {}, seq);
          if (type === 'auth') {
            fake.renewals.push(payload.token);
            say('bridge.renewed', { expiresAt: expiresAt() }, seq);
          }
        }
      });
      say('bridge.welcome', { connection: `c${fake.tokens.length}`, user: '42', complete: true, expiresAt: expiresAt() });
    });
    await new Promise((resolve) => fake.server.listen(fake.port, '127.0.0.1', resolve));
    return fake;
  }

  #frame(first, body) {
    const length = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([first, ...length]), body]));
  }

  close(code, reason) {
    this.#frame(0x88, Buffer.from([code >> 8, code & 0xff, ...Buffer.from(reason)]));
  }

  stop() {
    this.server.closeAllConnections?.();
    this.#socket?.destroy();
    this.server.close();
  }
}
