// Takes the README's pictures of the demo page and the console; scripts/suites/40-browser.sh --screenshots runs it.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Bridge, connect, launch, publish, root, stopAll, until } from './harness.mjs';

const notes = [
  ['channel.news', 'headline', { text: 'The bridge is open again 🌉', river: 'Elbe' }],
  ['user.42', 'order.shipped', { order: 1017, parcels: 2, arrives: 'tomorrow', address: 'Am Kaiserkai 10, 20457 Hamburg' }],
  ['all', 'maintenance', { text: 'Back in five minutes 🕔', minutes: 5 }],
  ['user.42', 'greeting', { text: 'Hello 👋' }],
];

const folder = process.argv[2] ?? path.join(root, 'bridge/docs');
const [browser, bridge] = await Promise.all([launch(), Bridge.start()]);
try {
  for (const [name, options] of [
    ['demo-light', { viewport: { width: 1120, height: 760 }, colorScheme: 'light' }],
    ['demo-dark-phone', { viewport: { width: 390, height: 800 }, colorScheme: 'dark', isMobile: true, hasTouch: true }],
  ]) {
    const context = await browser.newContext({ ...options, locale: 'en-GB' });
    const page = await context.newPage();
    await page.goto(bridge.url('/?user=42&channels=news,chat'));
    await until('it is connected', async () => (await page.getAttribute('#state', 'data-state')) === 'open');
    for (const [i, [to, type, payload]] of notes.entries()) {
      await page.evaluate(
        (envelope) => fetch('/dev/publish', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(envelope) }),
        { to, type, payload, seq: Date.now() * 1000 + i },
      );
      await until('it is shown', async () => (await page.textContent('#count')) === String(i + 1));
    }
    // The first round trip is that of a bridge which has just started.
    const first = await until('the round trip is measured', async () => (await page.textContent('#trip')).replace('–', ''));
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await until('it is measured again', async () => (await page.textContent('#trip')) !== first);
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    await context.close();
  }
  await console();
} finally {
  await browser.close();
  await stopAll();
}

/** The console, of a bridge on which something goes on and something went wrong. */
async function console() {
  const types = await fs.mkdtemp(path.join(os.tmpdir(), 'pushbridge-types-'));
  await fs.writeFile(path.join(types, 'order.created.schema.json'), JSON.stringify({ type: 'object', required: ['id'] }));
  const prefix = 'shop';
  const busy = await Bridge.start({ 'amqp.prefix': prefix, 'message.types-dir': types });
  const send = (to, type, payload) =>
    fetch(`http://127.0.0.1:${busy.adminPort}/api/publish`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Pushbridge-Request': '1' },
      body: JSON.stringify({ to, type, payload }),
    });
  const desktop = await browser.newContext({ viewport: { width: 1200, height: 940 }, colorScheme: 'light', locale: 'en-GB' });
  const page = await desktop.newPage();
  const readers = await browser.newContext();
  for (let i = 0; i < 12; i++) {
    const reader = await readers.newPage();
    await reader.goto(busy.url());
    await connect(reader, { user: `u${i % 9}`, channels: ['news'] });
  }
  await page.goto(`http://127.0.0.1:${busy.adminPort}/console/#/overview`);
  await page.bringToFront();
  for (let i = 0; i < 12; i++) {
    await Promise.all([
      publish(`user.u${i % 9}`, 60 + 25 * (i % 5), { exchange: prefix, rate: 60 }),
      publish('channel.news', 20, { exchange: prefix, rate: 20 }),
      publish(`user.away${i}`, 2 + i, { exchange: prefix }),
      send('user.u1', 'order.created', { ID: 1017 + i, lines: [{ sku: 'tea', qty: 2 }] }),
    ]);
  }
  await send('user.u2', 'order.shipped', 'no object');
  await page.screenshot({ path: path.join(folder, 'console-light.png') });
  const phone = await browser.newContext({ viewport: { width: 390, height: 800 }, colorScheme: 'dark', isMobile: true, hasTouch: true, locale: 'en-GB' });
  const small = await phone.newPage();
  for (const [name, hash] of [
    ['console-letters-dark-phone', ''],
    ['console-letter-dark-phone', `/${(await (await fetch(`http://127.0.0.1:${busy.adminPort}/api/dead-letters?type=order.created`)).json()).letters[0].id}`],
  ]) {
    await small.goto(`http://127.0.0.1:${busy.adminPort}/console/#/letters${hash}`);
    await until('it is shown', async () => (await small.locator('main').innerText()).includes('/payload/id'));
    await small.screenshot({ path: path.join(folder, `${name}.png`) });
  }
  await fs.rm(types, { recursive: true });
}
