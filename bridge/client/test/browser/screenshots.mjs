// Takes the README's pictures of the demo page; scripts/suites/40-browser.sh --screenshots runs it.
import path from 'node:path';
import { Bridge, launch, root, stopAll, until } from './harness.mjs';

const notes = [
  ['channel.news', 'headline', { text: 'The bridge is open again 🌉', river: 'Elbe' }],
  ['user.42', 'order.shipped', { order: 1017, parcels: 2, arrives: 'tomorrow', address: 'Am Kaiserkai 10, 20457 Hamburg' }],
  ['all', 'maintenance', { text: 'Back in five minutes 🕔', minutes: 5 }],
  ['user.42', 'greeting', { text: 'Hello 👋' }],
];

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
    await page.screenshot({ path: path.join(process.argv[2] ?? path.join(root, 'bridge/docs'), `${name}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
  await stopAll();
}
