// Every example of bridge/examples, by a user of RabbitMQ who may do no more than docker/rabbitmq/definitions.json allows, through a real
// bridge whose user may do no more either. 46-examples.sh brings RabbitMQ with these users, and says where all is.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { PushClient } from '../../../bridge/client/pushbridge-client.js';
import { Bridge, freePort, get, launch, packages, root, start, stopAll, until } from '../../../bridge/client/test/browser/harness.mjs';

const env = process.env;
const WebSocket = packages('ws');
const amqp = packages('amqplib');
const work = env.PUSHBRIDGE_TEST_WORK;
const examples = path.join(root, 'bridge/examples');
const secret = randomBytes(32).toString('hex');
const application = { ...env, AMQP_URI: env.PUSHBRIDGE_TEST_APP_URI };

function token(user) {
  const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + 3600 };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

let bridge;
const pages = [];

/** A page with the client library. */
async function page(user) {
  const push = new PushClient(`ws://127.0.0.1:${bridge.port}/ws`, { WebSocket, token: async () => token(user) });
  const heard = [];
  push.on('*', (payload, envelope) => heard.push(envelope));
  pages.push(push);
  await until('the page is connected', () => push.state === 'open');
  return heard;
}

async function run(command, args, more = {}) {
  const child = start(command, args, { env: { ...application, ...more } });
  return { status: await child.ended, output: child.output };
}

before(async () => {
  bridge = await Bridge.start({ 'amqp.uri': env.PUSHBRIDGE_TEST_BRIDGE_URI, 'auth.mode': 'token', 'auth.secret': secret, 'intake.start-delay': '0s' });
});

after(async () => {
  for (const push of pages) push.close();
  await stopAll();
});

// Node looks for packages beside the program.
const node = path.join(work, 'publish.mjs');
fs.copyFileSync(path.join(examples, 'publish/publish.mjs'), node);
fs.symlinkSync(path.join(env.PUSHBRIDGE_TEST_PACKAGES, 'node_modules'), path.join(work, 'node_modules'));

const java = env.JAVA_HOME ? path.join(env.JAVA_HOME, 'bin/java') : 'java';
const languages = {
  'PHP with php-amqplib': ['php', [`${examples}/publish/publish.php`], { PUSH_WITH: 'php-amqplib' }],
  'PHP with ext-amqp': ['php', [`${examples}/publish/publish.php`], { PUSH_WITH: 'ext-amqp' }],
  'Python with pika': [env.PUSHBRIDGE_TEST_PYTHON, [`${examples}/publish/publish.py`]],
  'Node with amqplib': ['node', [node]],
  Java: [java, ['-cp', `${env.PUSHBRIDGE_TEST_DISTRIBUTION}/lib/*`, `${examples}/publish/Publish.java`]],
  'shell with amqp-tools': ['sh', [`${examples}/publish/publish.sh`]],
};

for (const [language, [command, args, more]] of Object.entries(languages)) {
  test(`${language}: what is published is on the page, and what is not allowed is said`, async () => {
    const user = language.replace(/\W/g, '');
    const heard = await page(user);
    const sent = await run(command, [...args, `user.${user}`, 'greeting', '{"text":"hello ✓ 😀"}'], more);
    assert.equal(sent.status, 0, sent.output);
    await until('the page has it', () => heard.length > 0);
    assert.deepEqual([heard[0].to, heard[0].type, heard[0].payload], [`user.${user}`, 'greeting', { text: 'hello ✓ 😀' }]);
    assert.ok(Number.isSafeInteger(heard[0].seq));

    const refused = await run(command, [...args, 'all', 'greeting', '{}'], more);
    assert.notEqual(refused.status, 0, 'everybody is not among the addresses of this application');
    assert.match(refused.output, /access|refused|403/i);
  });
}

test('receipts: PHP waits until a message is delivered, also when its reader comes later, and hears why another one is not', async () => {
  // Reading receipts takes rights that the other examples do without.
  const ask = (address, type) => start('php', [`${examples}/receipts/ask.php`, address, type, '{"text":"hello"}'], { env: { ...env, AMQP_URI: env.PUSHBRIDGE_TEST_ASKER_URI } });
  const later = ask('user.receipts', 'greeting');
  await until('it is held', () => later.output.includes('held'));
  const heard = await page('receipts');
  assert.equal(await later.ended, 0, later.output);
  assert.equal(later.output, 'held\ndelivered\n');
  assert.equal(heard.length, 1);
  const wrong = ask('user.receipts', 'ping');
  assert.equal(await wrong.ended, 1, wrong.output);
  assert.match(wrong.output, /^dead-lettered \(reserved-type: /);
});

test('an outbox pushes what was committed, also what was published when the relay crashed, and pages show it once', async () => {
  const heard = await page('555');
  const file = path.join(work, 'shop.db');
  const python = (...args) => run(env.PUSHBRIDGE_TEST_PYTHON, [`${examples}/outbox/outbox.py`, ...args]);
  assert.equal((await python('order', file, '555')).status, 0);
  assert.equal((await python('order', file, '555')).status, 0);
  const crashed = await run(env.PUSHBRIDGE_TEST_PYTHON, [`${examples}/outbox/outbox.py`, 'relay', file], { OUTBOX_CRASH: 'yes' });
  assert.equal(crashed.status, 3, crashed.output);
  await until('the first is there', () => heard.length === 1);
  const relayed = await python('relay', file);
  assert.equal(relayed.status, 0, relayed.output);
  await until('the second is there', () => heard.length >= 2);
  assert.deepEqual(heard.map(({ payload }) => payload.order), [1, 2], 'the first one came twice and was shown once');
});

test('user 123 is notified: a PHP page, and a page in Chromium', async () => {
  const port = await freePort();
  const extra = { PUSH_SECRET: secret, PUSH_URL: `ws://127.0.0.1:${bridge.port}/ws` };
  start('php', ['-S', `127.0.0.1:${port}`, 'index.php'], { cwd: `${examples}/notify`, env: { ...application, ...extra } });
  await until('PHP answers', () => get(port, '/').then(({ status }) => status === 200, () => false));
  const browser = await launch();
  try {
    const notices = await (await browser.newContext()).newPage();
    await notices.goto(`http://127.0.0.1:${port}/`);
    await notices.fill('[name=user]', '123');
    await notices.click('text=Log in');
    await notices.waitForFunction(() => document.getElementById('state').textContent === 'open');
    const somebody = await (await browser.newContext()).newPage();
    await somebody.goto(`http://127.0.0.1:${port}/`);
    await somebody.fill('[name=to]', '123');
    await somebody.fill('[name=text]', 'Your parcel is <b>here</b> 📦');
    await somebody.click('button:has-text("Notify")');
    await somebody.waitForSelector('text=RabbitMQ has it');
    await notices.waitForSelector('#notices li');
    assert.equal(await notices.textContent('#notices li'), 'Your parcel is <b>here</b> 📦');
  } finally {
    await browser.close();
  }
});

// -- what the users of definitions.json may do

/** What RabbitMQ says to something done on a channel; undefined when nothing is wrong with it. */
async function verdict(uri, what) {
  const connection = await amqp.connect(uri);
  try {
    const channel = await connection.createConfirmChannel();
    let failed;
    channel.on('error', (error) => (failed = error));
    try {
      await what(channel);
      return failed?.code;
    } catch (error) {
      return error.code ?? failed?.code ?? error.message;
    }
  } finally {
    await connection.close();
  }
}

const publishing = (exchange, key) => async (channel) => {
  channel.publish(exchange, key, Buffer.from('{}'), { mandatory: true });
  await channel.waitForConfirms();
};

test('the application may publish to users and channels, and nothing else', async () => {
  const app = env.PUSHBRIDGE_TEST_APP_URI;
  assert.equal(await verdict(app, publishing('push', 'user.7')), undefined);
  assert.equal(await verdict(app, publishing('push', 'channel.news')), undefined);
  for (const [name, what] of Object.entries({
    'to everybody': publishing('push', 'all'),
    'to a connection': publishing('push', 'connection.abc'),
    'to an empty address': publishing('push', 'user.'),
    'straight into the queue, past the topic permissions': publishing('', 'push.instructions'),
    'into another exchange': publishing('amq.topic', 'user.7'),
    'reading instructions': (channel) => channel.consume('push.instructions', () => {}),
    'reading dead letters': (channel) => channel.get('push.dead'),
    'declaring a queue': (channel) => channel.assertQueue('mine'),
    'declaring an exchange': (channel) => channel.assertExchange('push.mine', 'topic'),
    'binding a queue to the exchange': (channel) => channel.bindQueue('push.dead', 'push', '#'),
    'emptying a queue': (channel) => channel.purgeQueue('push.instructions'),
    'deleting a queue': (channel) => channel.deleteQueue('push.dead'),
  })) {
    assert.equal(await verdict(app, what), 403, name);
  }
});

test("the bridge may have its own queues, and nobody else's", async () => {
  const uri = env.PUSHBRIDGE_TEST_BRIDGE_URI;
  assert.equal(await verdict(uri, (channel) => channel.checkQueue('push.dead')), undefined);
  assert.equal(await verdict(uri, (channel) => channel.assertQueue('orders')), 403);
  assert.equal(await verdict(uri, (channel) => channel.assertQueue('pushed')), 403);
  assert.equal(await verdict(uri, publishing('amq.topic', 'x')), 403);
});

test('monitoring may touch no message', async () => {
  const uri = env.PUSHBRIDGE_TEST_MONITORING_URI;
  assert.equal(await verdict(uri, publishing('push', 'user.7')), 403);
  assert.equal(await verdict(uri, (channel) => channel.get('push.dead')), 403);
});
