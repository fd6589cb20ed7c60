import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Bridge, connect, launch, publish, received, stopAll, until } from './harness.mjs';

const TOKEN = randomBytes(24).toString('hex');
const PREFIX = `console-${randomBytes(4).toString('hex')}`;
const SCHEMA = { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', required: ['id'], properties: { id: { type: 'integer' } } };
const PHONE = { viewport: { width: 390, height: 760 }, isMobile: true, hasTouch: true, colorScheme: 'dark' };

let browser, bridge, context, types;
let complaints; // of the browser: what the page's policy forbade, and what broke

before(async () => {
  types = await fs.mkdtemp(path.join(os.tmpdir(), 'pushbridge-types-'));
  await fs.writeFile(path.join(types, 'order.created.schema.json'), JSON.stringify(SCHEMA));
  const settings = { 'admin.token': TOKEN, 'amqp.prefix': PREFIX, 'message.types-dir': types };
  [browser, bridge] = await Promise.all([launch(), Bridge.start(settings)]);
});
after(async () => {
  await browser?.close();
  await stopAll();
  await fs.rm(types, { recursive: true, force: true });
});
afterEach(async () => {
  await context?.close();
  assert.deepEqual(complaints, []);
});

const api = (way, body) =>
  fetch(`http://127.0.0.1:${bridge.adminPort}${way}`, {
    method: body ? 'POST' : 'GET',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  }).then((response) => response.json());

/** The console, with the token in the tab as after a login. */
async function open(hash, options = { viewport: { width: 1200, height: 900 } }, loggedIn = true) {
  context = await browser.newContext(options);
  if (loggedIn) await context.addInitScript((token) => sessionStorage.setItem('pushbridge-token', token), TOKEN);
  const page = await context.newPage();
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('401') && complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${bridge.adminPort}/${hash ? `console/${hash}` : ''}`);
  return page;
}

const shows = (page, text, where = 'main') => until(`it shows ${text}`, async () => (await page.locator(where).innerText()).includes(text));
/** What a screen reader would say of where the focus is. */
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label'));
const fits = async (page) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');

/** As an operator does who looks where the focus is. */
async function tabTo(page, what) {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)) === what) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not get to ${what}`);
}

const order = (payload, seq) => api('/api/publish', { to: 'user.ann', type: 'order.created', payload, seq });
const letters = async () => (await api('/api/dead-letters')).total;

test('three in the morning: dead letters, on a phone, by keyboard alone', async () => {
  for (let i = 1; i <= 3; i++) await order({ ID: i }, i);
  await order({ id: 'four' }, 4);
  await order({ nonsense: true }, 5);
  await until('they are dead', async () => (await letters()) === 5);
  const page = await open('', PHONE, false);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

  // Who is there?
  await until('it asks for the token', () => page.locator('#login[open]').isVisible());
  await page.keyboard.type(`${TOKEN}x`);
  await press('Enter');
  await shows(page, 'not the right one', '#login');
  await page.keyboard.type(TOKEN);
  await press('Enter');
  await shows(page, 'owner', '#state');
  await fits(page);

  // What is wrong, and how often?
  await press('2');
  await shows(page, '5 letters in dead');
  await shows(page, '/payload/id: is missing');
  await fits(page);
  await press('j');
  assert.match(await focused(page), /^4 payload-invalid order\.created$/);
  await press('Enter');
  await shows(page, '4 of them shown');

  // One of them: why, and mended by hand.
  await tabTo(page, 'payload-invalid order.created');
  await press('j');
  await press('Enter');
  await shows(page, 'Replayed now it would be refused again, payload-invalid');
  await shows(page, '"ID"');
  await fits(page);
  await press('e');
  await until('the body can be edited', () => page.evaluate(() => document.activeElement.name === 'body'));
  const body = await page.evaluate(() => document.activeElement.value);
  await press('Control+a');
  await page.keyboard.insertText(body.replace('"ID"', '"id"'));
  await tabTo(page, 'Replay as edited');
  await press('Enter');
  await shows(page, '1 of 1 letter would be replayed', '#confirm[open]');
  await press('Enter');
  await shows(page, '1 letter was replayed.', '#said');

  // The rest of them at once, and what does not fit is left.
  await shows(page, '3 of them shown');
  await tabTo(page, 'Change on the way');
  await press('Enter');
  await tabTo(page, 'JSON Patch');
  await page.keyboard.insertText('[{"op": "move", "from": "/payload/ID", "path": "/payload/id"}]');
  await tabTo(page, 'Replay all of these');
  await press('Enter');
  await shows(page, '2 of 3 letters would be replayed', '#confirm[open]');
  await shows(page, '/payload/ID is not there', '#confirm[open]');
  await press('Enter');
  await shows(page, '2 letters were replayed. 1 left.', '#said');

  // What nobody can mend is discarded.
  await shows(page, '2 letters in dead, 1 of them shown');
  await tabTo(page, 'payload-invalid order.created');
  await press('Enter');
  await shows(page, '"nonsense"');
  await press('x');
  await shows(page, '1 letter would be discarded for good', '#confirm[open]');
  await press('Escape'); // on second thoughts
  assert.equal(await letters(), 2);
  await press('x');
  await shows(page, 'Discard 1 for good', '#confirm[open]');
  await press('Enter');
  await shows(page, '1 letter was discarded.', '#said');
  assert.equal(await letters(), 1);

  // And the reader has what was mended, whoever was there meanwhile.
  const reader = await context.newPage();
  await reader.goto(bridge.url());
  await connect(reader, { user: 'ann' });
  await until('nothing is held any more', async () => (await api('/api/overview')).held.messages === 0);
  assert.equal((await api('/api/overview')).counters.heldDelivered, 3);
});

test('keys that mean something are told, and can be turned off', async () => {
  const page = await open('#/overview');
  await shows(page, 'Taken to settled');
  await page.keyboard.press('?');
  await until('they are told', () => page.locator('#help[open]').isVisible());
  await page.locator('#keys-on').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('2');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => location.hash), '#/overview');
});

test('the overview lives: rates, latency, queues and who is there', async () => {
  const page = await open('#/overview');
  const tile = (name) => page.locator(`[data-tile=${name}]`).innerText();
  await until('the first look', async () => (await tile('connections')).includes('0 users'));
  const reader = await context.newPage();
  await reader.goto(bridge.url());
  await connect(reader, { user: 'bea' });
  await publish('user.bea', 200, { exchange: PREFIX });
  await received(reader, 200);
  await page.bringToFront();
  await until('somebody is there', async () => (await tile('connections')).includes('1 user'));
  await until('it was measured', async () => / ms/.test(await tile('latency')));
  await until('the queue is told', async () => (await tile('queue')).includes('0\n'));
  await until('lines are drawn', () => page.evaluate(() => [...document.querySelectorAll('polyline')].some((line) => line.getAttribute('points').split(' ').length > 2)));
  await shows(page, 'payload-invalid');
  await page.locator('.plot').first().focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('.plot').first().getAttribute('aria-label'), /^Messages a second: received .*, dead /);
});

test('a user is found, written to, and sent away', async () => {
  const page = await open('#/connections');
  const reader = await context.newPage();
  await reader.goto(bridge.url());
  await connect(reader, { user: 'cid' });
  await reader.evaluate(() => window.push.on('test', (payload) => (window.heard = payload)));
  await page.bringToFront();
  await page.getByLabel('User').fill('ci*');
  await page.keyboard.press('Enter');
  await shows(page, '1 connection of');
  await page.getByRole('button', { name: 'Write to it' }).click();
  await page.getByRole('textbox', { name: 'Payload' }).fill('{"text": "are you there?"}');
  await page.getByRole('button', { name: 'Publish through RabbitMQ' }).click();
  await shows(page, 'RabbitMQ has it.');
  await until('it has arrived', () => reader.evaluate(() => window.heard?.text === 'are you there?'));
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await shows(page, '4003 kicked', '#confirm[open]');
  await page.getByRole('button', { name: 'Close it' }).click();
  await until('it is gone', () => reader.evaluate(() => window.push.state === 'closed'));
  await shows(page, 'The connection of cid was closed.', '#said');
});

test('what is held is found, looked at and dropped', async () => {
  await publish('user.dan', 60, { exchange: PREFIX });
  await publish('user.eve', 1, { exchange: PREFIX });
  await until('it is held', async () => (await api('/api/overview')).held.messages === 61);
  const page = await open('#/held', PHONE);
  await shows(page, '61 messages for 2 addresses');
  await fits(page);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await shows(page, 'nobody is connected as user.dan');
  await page.keyboard.press('n');
  await until('the second page', async () => (await page.locator('main .rows li').count()) === 20 && page.getByText('seq 21').isVisible());
  await fits(page);
  await page.getByRole('button', { name: 'Drop' }).click();
  await shows(page, '60 messages for 1 address are forgotten for good', '#confirm[open]');
  await page.getByRole('button', { name: 'Drop 60' }).click();
  await shows(page, '60 messages are forgotten for good.', '#said');
  await shows(page, '1 message for 1 address');
  await until('they are', async () => (await api('/api/overview')).held.messages === 1);
});

test('the setup is shown without its secrets', async () => {
  const page = await open('#/setup', PHONE);
  await shows(page, 'Everything is as it should be.');
  await shows(page, `queue ${PREFIX}.dead`);
  await shows(page, 'admin.token');
  await fits(page);
  assert.ok(!(await page.content()).includes(TOKEN));
  await page.getByLabel('Only what is not at its default').uncheck();
  await page.getByRole('textbox', { name: 'Key' }).fill('hold.ttl');
  await shows(page, '24h');
});

test('a hundred thousand dead letters', async () => {
  await publish(`${PREFIX}.dead`, 100_000, { exchange: '' });
  const page = await open('#/letters');
  await shows(page, '100,001 letters in dead');
  await shows(page, '1 to 50 of 100,001');
  await page.keyboard.press('n');
  await shows(page, '51 to 100 of 100,001');
  assert.equal(await page.locator('ul[aria-label=Letters] li').count(), 50);
  await page.keyboard.press('/');
  await page.keyboard.type('payload-invalid');
  await page.keyboard.press('Enter');
  await shows(page, '100,001 letters in dead, 1 of them shown');
});
