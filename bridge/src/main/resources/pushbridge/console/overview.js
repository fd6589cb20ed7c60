// How the bridge is, at a glance and over the last minutes.
import { get } from './api.js';
import { Chart } from './chart.js';
import { bytes, duration, h, number, plural, short } from './dom.js';

/** The value below which a share of what was counted between two looks lies; null when nothing was. */
function quantile(bounds, before, after, share) {
  const counts = after.counts.map((count, i) => count - before.counts[i]);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    if (seen + counts[i] >= share * total) {
      const [from, to] = [i === 0 ? 0 : bounds[i - 1], bounds[i] ?? bounds.at(-1)];
      return from + ((share * total - seen) / counts[i]) * (to - from);
    }
    seen += counts[i];
  }
  return bounds.at(-1);
}

export const title = 'Overview';

export function start(root, { onLook }) {
  const tiles = {};
  const tile = (name, label, href) => {
    tiles[name] = { value: h('dd', {}, '–'), note: h('dd', { class: 'note' }) };
    return h('div', { class: 'tile', 'data-tile': name }, h('dt', {}, href ? h('a', { href }, label) : label), tiles[name].value, tiles[name].note);
  };
  const set = (name, value, note = '', bad = false) => {
    tiles[name].value.textContent = value;
    tiles[name].note.textContent = note;
    tiles[name].value.classList.toggle('bad', bad);
  };
  const rates = new Chart('Messages a second', ['received', 'delivered', 'held', 'dead']);
  const latency = new Chart('Latency', ['taken to settled, half', '95 %', 'published to acknowledged, half', '95 %'], duration);
  const connections = new Chart('Connections', ['open', 'users']);
  const waiting = new Chart('Waiting', ['in the queue', 'in hand', 'held']);
  const problems = h('ul', { class: 'problems', 'aria-label': 'Problems' });
  const checks = h('dl', { class: 'facts' });
  const dead = h('tbody');
  root.append(
    h('h1', {}, 'Overview'),
    problems,
    h(
      'dl',
      { class: 'tiles' },
      tile('connections', 'Connections', '#/connections'),
      tile('rate', 'Delivered a second'),
      tile('latency', 'Taken to settled'),
      tile('queue', 'In the queue'),
      tile('held', 'Held', '#/held'),
      tile('dead', 'Dead letters', '#/letters'),
    ),
    h('div', { class: 'charts' }, rates.element, latency.element, connections.element, waiting.element),
    h(
      'div',
      { class: 'columns' },
      h('section', {}, h('h2', {}, 'Broker and ownership'), checks),
      h(
        'section',
        {},
        h('h2', {}, 'Dead since the start, by reason'),
        h('table', {}, h('thead', {}, h('tr', {}, h('th', {}, 'Reason'), h('th', { class: 'number' }, 'Count'))), dead),
      ),
    ),
  );

  let before = null;
  let depths = {};
  let queuesProblem = '';
  let stopped = false;
  let timer;

  function show(now) {
    const seconds = before ? (now.at - before.at) / 1000 : null;
    const rate = (name) => (before ? Math.max(0, now.counters[name] - before.counters[name]) / seconds : null);
    const shares = (name) => [0.5, 0.95].map((share) => (before ? quantile(now.boundsMillis, before[name], now[name], share) : null));
    const [half, most] = shares('settling');
    const acked = shares('publishedToAcked'); // only of what was published with a timestamp
    const ready = depths.instructions?.ready ?? null;
    problems.replaceChildren(...now.problems.map((problem) => h('li', {}, problem)));
    set('connections', number(now.connections), `${plural(now.users, 'user')}, at most ${short(now.connectionsMax)}`, now.connections >= 0.9 * now.connectionsMax);
    set('rate', rate('delivered') === null ? '–' : short(rate('delivered')), `${short(rate('received') ?? 0)} received, ${short(rate('frames') ?? 0)} frames`);
    set('latency', half === null ? '–' : duration(half), most === null ? 'nothing lately' : `95 % within ${duration(most)}`);
    set('queue', ready === null ? '–' : number(ready), queuesProblem || `${number(now.unsettled)} in hand of ${short(now.prefetch)}`, Boolean(queuesProblem));
    set('held', number(now.held.messages), `${plural(now.held.addresses, 'address', 'addresses')}, ${bytes(now.held.bytes)}`, now.held.messages >= 0.8 * now.held.messagesMax);
    const letters = depths.dead?.ready;
    set('dead', letters === undefined ? '–' : number(letters), `${number(now.counters.dead)} since the start`, letters > 0);
    rates.push(['received', 'delivered', 'held', 'dead'].map(rate));
    latency.push([half, most, ...acked]);
    connections.push([now.connections, now.users]);
    waiting.push([ready, now.unsettled, now.held.messages]);
    const facts = {
      ...now.checks,
      epoch: now.epoch,
      'copies waiting': number(now.copiesWaiting),
      'oldest in hand': now.unsettled ? duration(now.oldestUnsettledMillis) : 'none',
      'for all clients': `${bytes(now.outboxBytes)} wait`,
      node: now.node,
      version: now.version.replace(/^pushbridge /, ''),
    };
    checks.replaceChildren(...Object.entries(facts).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, String(value)))));
    const some = now.dead.filter(({ count }) => count > 0);
    dead.replaceChildren(
      ...(some.length
        ? some.map(({ reason, meaning, count }) =>
            h('tr', {}, h('td', {}, h('a', { href: `#/letters?reason=${reason}`, title: meaning }, reason)), h('td', { class: 'number' }, number(count))),
          )
        : [h('tr', {}, h('td', { colspan: '2', class: 'soft' }, 'None.'))]),
    );
    before = now;
  }

  async function look() {
    if (!document.hidden) {
      try {
        const now = await get('/api/overview');
        now.at = performance.now();
        if (stopped) return;
        onLook(now);
        show(now);
      } catch (problem) {
        if (stopped) return;
        onLook(null, problem);
        before = null;
      }
    }
    timer = setTimeout(look, 2000);
  }

  // On its own, since RabbitMQ may let us wait while the bridge itself has much to tell.
  let queuesTimer;
  async function lookAtQueues() {
    if (!document.hidden) {
      try {
        const { queues } = await get('/api/queues');
        depths = Object.fromEntries(queues.filter(({ there }) => there).map((queue) => [queue.name.split('.').at(-1), queue]));
        queuesProblem = '';
      } catch (problem) {
        depths = {};
        queuesProblem = problem.message;
      }
    }
    if (!stopped) queuesTimer = setTimeout(lookAtQueues, 2000);
  }

  lookAtQueues();
  look();
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(queuesTimer);
  };
}
