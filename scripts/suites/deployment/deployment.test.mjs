// The parts of docker/ as processes: the bridge on the Java of the Dockerfile, with the configuration and the secrets of docker/stack, kept
// alive by Supervisor. 47-deployment.sh brings RabbitMQ with the users of docker/stack/prepare, and says where all is.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { PushClient } from '../../../bridge/client/pushbridge-client.js';
import { freePort, get, packages, root, start, stopAll, until } from '../../../bridge/client/test/browser/harness.mjs';

const env = process.env;
const WebSocket = packages('ws');
const amqp = packages('amqplib');
const work = env.PUSHBRIDGE_TEST_WORK;
const secrets = path.join(work, 'secrets');
const broker = new URL(env.PUSHBRIDGE_TEST_AMQP_URI).host;
const secret = (name) => fs.readFileSync(path.join(secrets, name), 'utf8');

/** A file of docker/ with something else put in; what is to be replaced must be there, and only its first place is taken. */
function filled(file, replacements, to) {
  let text = fs.readFileSync(file, 'utf8');
  for (const [from, by] of replacements) {
    assert.ok(text.includes(from), `${file} has ${from}`);
    text = text.replace(from, by);
  }
  fs.writeFileSync(to, text);
  return to;
}

const uris = path.join(work, 'amqp-uri');
fs.writeFileSync(uris, secret('amqp-uri').replace('rabbitmq:5672', broker));
const [port, adminPort] = [await freePort(), await freePort()];
const configuration = filled(
  path.join(root, 'docker/stack/pushbridge.yaml'),
  [
    ['/run/secrets/amqp-uri', uris],
    ['/run/secrets', secrets],
    ['/run/secrets', secrets],
    ['172.30.99.0/24', '127.0.0.0/8'],
    ['host: 0.0.0.0', `host: 127.0.0.1\n    port: ${port}`],
    ['host: 0.0.0.0', `host: 127.0.0.1\n    port: ${adminPort}`],
  ],
  path.join(work, 'pushbridge.yaml'),
);
const program = path.join(env.PUSHBRIDGE_TEST_DISTRIBUTION, 'bin/pushbridge');
const control = path.join(work, 'supervisor.sock');
let supervisor;

function supervise(configuration) {
  filled(
    path.join(root, 'docker/supervisor.conf'),
    [
      ['command=/opt/pushbridge/bin/pushbridge', `command=${program}`],
      ['--config /etc/pushbridge/pushbridge.yaml', `--config ${configuration}`],
      ['user=pushbridge\n', ''],
      ['/var/log/pushbridge.log', path.join(work, 'pushbridge.log')],
    ],
    path.join(work, 'program.conf'),
  );
  const main = path.join(work, 'supervisord.conf');
  fs.writeFileSync(
    main,
    [
      `[supervisord]\nlogfile=${work}/supervisord.log\npidfile=${work}/supervisord.pid\nchildlogdir=${work}`,
      `[unix_http_server]\nfile=${control}`,
      `[supervisorctl]\nserverurl=unix://${control}`,
      '[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface',
      `[include]\nfiles=${work}/program.conf\n`,
    ].join('\n'),
  );
  return start('supervisord', ['--nodaemon', '-c', main]);
}

async function status() {
  const child = start('supervisorctl', ['-c', path.join(work, 'supervisord.conf'), 'status', 'pushbridge']);
  await child.ended;
  return child.output;
}

const ready = () => until('the bridge is ready', () => get(adminPort, '/health/ready').then(({ status }) => status === 200, () => false));
const log = () => fs.readFileSync(path.join(work, 'pushbridge.log'), 'utf8');

before(async () => {
  supervisor = supervise(configuration);
  await ready().catch((error) => assert.fail(`${error.message}\n${supervisor.output}\n${log()}`));
});

after(async () => {
  supervisor?.kill('SIGTERM');
  await supervisor?.ended;
  await stopAll();
});

function token(user) {
  const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + 3600 };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', secret('auth-secret')).update(signed).digest('base64url')}`;
}

/** The health check of the Dockerfile. */
async function healthCheck() {
  const line = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(fs.readFileSync(path.join(root, 'docker/Dockerfile'), 'utf8'));
  const [command, ...args] = JSON.parse(line[1]);
  return start(command, args.map((arg) => arg.replace('8081', adminPort))).ended;
}

test('on the Java of the Dockerfile, with the secrets that were made, an application reaches a page', async () => {
  const push = new PushClient(`ws://127.0.0.1:${port}/ws`, { WebSocket, token: async () => token('42') });
  const heard = [];
  push.on('note', (payload) => heard.push(payload.text));
  const connection = await amqp.connect(secret('app-uri').replace('127.0.0.1:5672', broker));
  try {
    const channel = await connection.createConfirmChannel();
    channel.publish('push', 'user.42', Buffer.from('{"type":"note","payload":{"text":"✓"},"seq":1}'), { persistent: true });
    await channel.waitForConfirms();
    await until('the page has it', () => heard.length > 0);
    assert.deepEqual(heard, ['✓']);
  } finally {
    push.close();
    await connection.close();
  }
});

test('Prometheus needs the token, probes do not', async () => {
  const ask = (path, headers = {}) => fetch(`http://127.0.0.1:${adminPort}${path}`, { headers });
  assert.equal((await ask('/metrics')).status, 401);
  const metrics = await ask('/metrics', { Authorization: `Bearer ${secret('admin-token')}` });
  assert.match(await metrics.text(), /^pushbridge_owner 1/m);
  assert.equal((await ask('/health/live')).status, 200);
  assert.equal(await healthCheck(), 0);
});

test('Supervisor starts a bridge that was killed again, and the health check tells the difference', async () => {
  const pid = /pid (\d+)/.exec(await status())[1];
  process.kill(Number(pid), 'SIGKILL');
  await until('it is started again', async () => {
    const again = /RUNNING +pid (\d+)/.exec(await status());
    return again && again[1] !== pid;
  });
  await ready();
  assert.equal(await healthCheck(), 0);
});

test('Supervisor ends a bridge in peace, and leaves one alone whose configuration is wrong', async () => {
  supervisor.kill('SIGTERM');
  await supervisor.ended;
  assert.match(fs.readFileSync(path.join(work, 'supervisord.log'), 'utf8'), /stopped: pushbridge \(exit status 0\)/);
  assert.notEqual(await healthCheck(), 0, 'nobody is there');
  const wrong = filled(configuration, [['mode: token', 'mode: guess']], path.join(work, 'wrong.yaml'));
  supervisor = supervise(wrong);
  await until('it has ended', async () => /EXITED|FATAL/.test(await status()));
  assert.match(log(), /auth\.mode/);
  assert.match(fs.readFileSync(path.join(work, 'supervisord.log'), 'utf8'), /exited: pushbridge \(exit status 78; expected\)/);
});
