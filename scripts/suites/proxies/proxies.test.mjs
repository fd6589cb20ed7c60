// Debian's nginx, HAProxy and Caddy with the very files of docker/proxy, in front of two bridges each: one delivers, one stands by.
// Only addresses, ports, certificates and the place of a log are put in. 45-proxies.sh brings RabbitMQ and says where all is.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Bridge, freePort, packages, root, start, stopAll, until } from '../../../bridge/client/test/browser/harness.mjs';

const WebSocket = packages('ws');
const amqp = packages('amqplib');
const work = process.env.PUSHBRIDGE_TEST_WORK; // with ca.pem, push.pem, push.key
const ca = fs.readFileSync(path.join(work, 'ca.pem'));
const name = 'push.example.com';
const secret = randomBytes(32).toString('hex');
const elsewhere = '127.0.0.9'; // the address of a client that is not this machine's usual one

// -- the application

let channel;

async function publish(prefix, address, text) {
  const body = { type: 'note', payload: { text }, seq: Date.now() * 1000 };
  channel.publish(prefix, address, Buffer.from(JSON.stringify(body)), { persistent: true, mandatory: true });
  await channel.waitForConfirms();
}

function token(user) {
  const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + 3600 };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

// -- a browser

/** What a page hears; acknowledges what it gets. */
class Page {
  texts = [];
  types = [];
  pings = 0;
  closed = null;

  static open(port, user, { headers = {}, protocols = ['pushbridge.v1', `bearer.${token(user)}`], localAddress } = {}) {
    const page = new Page();
    page.socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, protocols, {
      ca,
      servername: name,
      headers: { Host: `${name}:${port}`, ...headers },
      localAddress,
      perMessageDeflate: false,
    });
    let count = 0;
    page.socket.on('message', (data) => {
      const frame = JSON.parse(data);
      page.types.push(frame.type);
      if (frame.type.startsWith('bridge.')) return;
      page.texts.push(frame.payload.text);
      page.socket.send(JSON.stringify({ type: 'ack', count: ++count }));
    });
    page.socket.on('ping', () => page.pings++);
    page.socket.on('close', (code) => (page.closed = code));
    return new Promise((resolve, reject) => {
      page.socket.on('open', () => resolve(page));
      page.socket.on('unexpected-response', (request, response) => {
        let body = '';
        response.on('data', (data) => (body += data)).on('end', () => reject(Object.assign(new Error(body), { status: response.statusCode })));
        response.on('error', reject);
      });
      page.socket.on('error', reject);
    });
  }

  hears(text) {
    return until(`a page hears ${text}`, () => {
      if (this.texts.includes(text)) return true;
      assert.equal(this.closed, null, `the page was closed before it heard ${text}`);
      return false;
    });
  }
}

const refusal = (port, user, options) =>
  Page.open(port, user, options).then(
    () => assert.fail('the handshake was to be refused'),
    (error) => error,
  );

function request(port, path, headers = {}) {
  return new Promise((resolve, reject) => {
    https
      .get({ host: '127.0.0.1', port, path, ca, servername: name, agent: false, headers: { Host: `${name}:${port}`, ...headers } }, (response) => {
        let body = '';
        response.on('data', (data) => (body += data)).on('end', () => resolve({ status: response.statusCode, body }));
      })
      .on('error', reject);
  });
}

// -- the proxies

/** A file of docker/proxy with something else put in; what is to be replaced must be there. */
function filled(file, replacements, to) {
  let text = fs.readFileSync(path.join(root, 'docker/proxy', file), 'utf8');
  for (const [from, by] of Object.entries(replacements)) {
    assert.ok(text.includes(from), `${file} has ${from}`);
    text = text.replaceAll(from, by);
  }
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, text);
  return to;
}

const kinds = {
  nginx: {
    run(folder, port, [one, two], timeout) {
      const file = filled(
        'nginx.conf',
        {
          'bridge-1:8080': `127.0.0.1:${one.port}`,
          'bridge-2:8080': `127.0.0.1:${two.port}`,
          'listen 443': `listen 127.0.0.1:${port}`,
          '/etc/nginx/tls': work,
          '/var/log/nginx/access.log': `${folder}/access.log`,
          '75s': timeout,
        },
        `${folder}/nginx.conf`,
      );
      return start('nginx', ['-p', folder, '-c', file, '-e', 'stderr', '-g', `daemon off; pid ${folder}/nginx.pid;`]);
    },
    reload: (child) => child.kill('SIGHUP'),
  },
  haproxy: {
    run(folder, port, [one, two], timeout) {
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(`${folder}/push.pem`, ['push.pem', 'push.key'].map((part) => fs.readFileSync(path.join(work, part))).join(''));
      const file = filled(
        'haproxy.cfg',
        {
          'bridge-1:8080': `127.0.0.1:${one.port}`,
          'bridge-2:8080': `127.0.0.1:${two.port}`,
          'bind :443': `bind 127.0.0.1:${port}`,
          '/etc/haproxy': folder,
          '75s': timeout,
        },
        `${folder}/haproxy.cfg`,
      );
      return start('haproxy', ['-W', '-db', '-f', file]);
    },
    reload: (child) => child.kill('SIGUSR2'),
  },
  caddy: {
    async run(folder, port, [one, two]) {
      const file = filled(
        'Caddyfile',
        {
          'bridge-1:8080': `127.0.0.1:${one.port}`,
          'bridge-2:8080': `127.0.0.1:${two.port}`,
          ':443': `:${port}`,
          '/etc/caddy': work,
          'admin off': `admin off\n\thttp_port ${await freePort()}\n\thttps_port ${port}\n\tdefault_bind 127.0.0.1`,
        },
        `${folder}/Caddyfile`,
      );
      return start('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder } });
    },
  },
};

const proxies = {};
const running = [];

async function startProxy(kind, bridges, timeout = '75s') {
  const port = await freePort();
  const child = await kinds[kind].run(path.join(work, `${kind}-${port}`), port, bridges, timeout);
  running.push(child);
  await until(`${kind} answers`, () => {
    assert.equal(child.exitCode, null, child.output);
    return request(port, '/nothing').then(({ status }) => status === 404, () => false);
  });
  return { port, child };
}

/** Two bridges, the second of which delivers, while the proxies ask the first one first. */
async function startBridges(prefix, settings) {
  const all = {
    'amqp.prefix': prefix,
    'auth.mode': 'token',
    'auth.secret': secret,
    'auth.cookie': 'push',
    'socket.trusted-proxies': '127.0.0.1',
    'socket.ping-interval': '1s',
    'standby.patience': '0s',
    'shutdown.grace': '1s',
    'shutdown.spread': '0s',
    'intake.start-delay': '0s',
    ...settings,
  };
  const owner = await Bridge.start(all);
  const standby = await Bridge.start(all, 'live');
  // Until it knows it lets pages in, which are then sent away.
  await until('the second bridge stands by', () => standby.log.includes('this one stands by'));
  return { prefix, owner, standby };
}

async function logs(bridge, level) {
  const response = await fetch(`http://127.0.0.1:${bridge.adminPort}/api/log/levels`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Pushbridge-Request': '1' },
    body: JSON.stringify({ logger: 'pushbridge.socket', level }),
  });
  assert.equal(response.status, 200);
}

const pairs = {};
let connection;

before(async () => {
  connection = await amqp.connect(process.env.PUSHBRIDGE_TEST_AMQP_URI);
  channel = await connection.createConfirmChannel();
  [pairs.plain, pairs.haproxy] = await Promise.all([startBridges('plain', {}), startBridges('proxied', { 'socket.proxy-protocol': true })]);
  pairs.nginx = pairs.caddy = pairs.plain;
  for (const kind of Object.keys(kinds)) {
    const { owner, standby } = pairs[kind];
    proxies[kind] = await startProxy(kind, [standby, owner]);
  }
});

after(async () => {
  await connection?.close();
  // By themselves, else their workers would be left.
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(running.map((child) => child.ended));
  await stopAll();
});

let users = 0;
const newUser = () => `u${++users}`;
const push = (kind, address, text) => publish(pairs[kind].prefix, address, text);

for (const kind of Object.keys(kinds)) {
  test(`${kind}: a page connects over TLS, whichever bridge is asked first, and gets what is pushed`, async () => {
    const { port } = proxies[kind];
    for (let i = 0; i < 4; i++) {
      const user = newUser();
      const page = await Page.open(port, user);
      await push(kind, `user.${user}`, 'hello ✓ 😀');
      await page.hears('hello ✓ 😀');
      page.socket.close();
    }
    const library = await request(port, '/client/pushbridge-client.js');
    assert.equal(library.status, 200);
    assert.match(library.body, /PushClient/);
  });

  test(`${kind}: the bridge sees the client's address and host, and not what the client claims`, async () => {
    const { owner } = pairs[kind];
    await logs(owner, 'debug');
    const claims = { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.7', 'X-Real-IP': '203.0.113.7', 'X-Forwarded-Host': 'evil.example' };
    const before = owner.log.length;
    const page = await Page.open(proxies[kind].port, newUser(), { localAddress: elsewhere, headers: claims });
    await until('the bridge has logged it', () => /opens, from ([0-9.]+)/.test(owner.log.slice(before)));
    assert.equal(/opens, from ([0-9.]+)/.exec(owner.log.slice(before))[1], elsewhere);
    page.socket.close();
    await logs(owner, 'info'); // of what repeats within a minute only the first ten are shown

    // With a cookie a page must be from the host that it asks for.
    const { port } = proxies[kind];
    const cookie = (origin) => ({ localAddress: elsewhere, protocols: ['pushbridge.v1'], headers: { Cookie: `push=${token(newUser())}`, Origin: origin, ...claims } });
    (await Page.open(port, '', cookie(`https://${name}:${port}`))).socket.close();
    assert.equal((await refusal(port, '', cookie('https://evil.example'))).status, 403);
  });

  test(`${kind}: what the bridge refuses is told as it says it, and nothing else of it is public`, async () => {
    const { port } = proxies[kind];
    const torn = await refusal(port, newUser(), { headers: { Authorization: `Bearer ${token(newUser())}` } });
    assert.equal(torn.status, 400);
    assert.match(torn.message, /different tokens/i);
    const nobody = await refusal(port, newUser(), { protocols: ['pushbridge.v1'] });
    assert.equal(nobody.status, 401);
    assert.match(nobody.message, /token/i);
    for (const place of ['/', '/metrics', '/health/ready', '/api/held']) {
      assert.equal((await request(port, place)).status, 404, place);
    }
  });

  if (kinds[kind].reload) {
    test(`${kind}: without pings in time the same page would have been cut off`, async () => {
      const { owner, standby } = pairs[kind];
      const { port } = await startProxy(kind, [standby, owner], '500ms');
      const page = await Page.open(port, newUser());
      await until('the proxy has cut it off', () => page.closed !== null);
      assert.equal(page.closed, 1006);
    });

    test(`${kind}: a reload leaves open pages alone`, async () => {
      const { port, child } = proxies[kind];
      const user = newUser();
      const page = await Page.open(port, user);
      kinds[kind].reload(child);
      for (let i = 0; i < 3; i++) {
        const fresh = await Page.open(port, newUser());
        fresh.socket.close();
      }
      await push(kind, `user.${user}`, 'after the reload');
      await page.hears('after the reload');
      page.socket.close();
    });
  }
}

test('pages that are idle for longer than a proxy waits stay, since the bridge pings them', async () => {
  const timeout = 4000; // a bridge pings here after one second, and looks every second
  const idle = Object.keys(kinds).map(async (kind) => {
    const { owner, standby } = pairs[kind];
    const { port } = await startProxy(kind, [standby, owner], `${timeout}ms`);
    const user = newUser();
    for (let again = true; again; ) {
      const page = await Page.open(port, user);
      const since = Date.now();
      let looked = since;
      again = false;
      await until('it was idle for long', () => {
        again ||= Date.now() - looked > 1000; // the machine itself stood still: that proves nothing
        looked = Date.now();
        return again || page.closed !== null || looked - since > timeout + 1000;
      });
      if (!again) {
        assert.equal(page.closed, null, `${kind} has cut the page off`);
        assert.ok(page.pings > 0, kind);
        await push(kind, `user.${user}`, 'still there');
        await page.hears('still there');
      }
      page.socket.close();
    }
  });
  await Promise.all(idle);
});

test('a bridge that ends sends its pages away, and they find the other one behind the same address; nothing is lost', async () => {
  const users = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, newUser()]));
  const open = {};
  for (const kind of Object.keys(kinds)) open[kind] = await Page.open(proxies[kind].port, users[kind]);
  await Promise.all([pairs.plain, pairs.haproxy].map(({ owner }) => owner.end('SIGTERM')));
  for (const kind of Object.keys(kinds)) {
    await until(`${kind}: the page was sent away`, () => open[kind].closed !== null);
    assert.equal(open[kind].closed, 1012, kind);
    assert.ok(open[kind].types.includes('bridge.going-away'), kind);
    await push(kind, `user.${users[kind]}`, 'meanwhile');
  }
  for (const kind of Object.keys(kinds)) {
    let page;
    await until(`${kind}: the other bridge has taken over`, async () => {
      try {
        page = await Page.open(proxies[kind].port, users[kind]);
        return true;
      } catch (error) {
        assert.ok([502, 503].includes(error.status), `${kind}: ${error.status} ${error.message}`);
        return false;
      }
    });
    await page.hears('meanwhile');
    page.socket.close();
  }
});

test('with no bridge at all the answer is 502 or 503, and with one again it goes on by itself', async () => {
  await Promise.all([pairs.plain, pairs.haproxy].map(({ standby }) => standby.end('SIGKILL')));
  for (const kind of Object.keys(kinds)) {
    assert.ok([502, 503].includes((await refusal(proxies[kind].port, newUser())).status), kind);
  }
  await Promise.all([pairs.plain, pairs.haproxy].map(({ owner }) => owner.start()));
  for (const kind of Object.keys(kinds)) {
    const user = newUser();
    await push(kind, `user.${user}`, 'back');
    let page;
    await until(`${kind}: pages come in again`, () => Page.open(proxies[kind].port, user).then((opened) => (page = opened), () => false));
    await page.hears('back');
    page.socket.close();
  }
});
