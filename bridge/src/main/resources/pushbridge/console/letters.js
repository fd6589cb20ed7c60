// Dead letters: what is wrong and how often, one by one, and what can be done about them.
import { get, work } from './api.js';
import { bytes, confirm, filled, h, number, plural, say, step, time } from './dom.js';

export const title = 'Dead letters';

const PAGE = 50;
const SINCE = [['', 'any time'], ['15', '15 minutes'], ['60', 'an hour'], ['1440', 'a day']];

/** The filter in the address bar, as the API wants it in a query. */
function fromHash(query) {
  const filter = {};
  for (const name of ['reason', 'type', 'address', 'text']) if (query.get(name)) filter[name] = query.get(name);
  if (query.get('since')) filter.since = new Date(Date.now() - Number(query.get('since')) * 60_000).toISOString();
  return filter;
}

/** The same as the API wants it in a body. */
function inBody({ id, reason, type, address, text, since }) {
  const filter = {};
  if (id) filter.ids = [id];
  if (reason) filter.reasons = [reason];
  if (type) filter.types = [type];
  if (address) filter.addresses = [address];
  if (text) filter.text = text;
  if (since) filter.since = since;
  return filter;
}

const isExpired = (query) => query.get('queue') === 'expired';
const hash = (parameters, path = '#/letters') => {
  const text = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
  return text ? `${path}?${text}` : path;
};

/** First what would be done, then, when it is confirmed, that. Whether something was. */
async function change(action, queue, filter, how) {
  const body = { queue, filter: inBody(filter), ...(how ? { how } : {}) };
  const path = `/api/dead-letters/${action}`;
  const done = (result) => (action === 'replay' ? result.replayed : result.discarded);
  const word = action === 'replay' ? 'replayed' : 'discarded';
  try {
    const would = await work(path, { ...body, dryRun: true });
    const count = done(would);
    const what = [h('p', {}, action === 'replay' ? `${number(count)} of ${plural(would.selected, 'letter')} would be replayed, the oldest first.` : `${plural(count, 'letter')} would be discarded for good.`)];
    if (would.refusals?.length) {
      what.push(h('p', {}, 'Left, since the bridge would refuse them again, or the change does not fit:'));
      what.push(h('ul', {}, would.refusals.map((one) => h('li', {}, `${number(one.count)} × ${one.reason}: ${one.detail}`))));
    }
    const button = action === 'replay' ? `Replay ${number(count)}` : `Discard ${number(count)} for good`;
    const heading = action === 'replay' ? 'Replay?' : 'Discard?';
    if (!(await confirm(heading, what, button, { dangerous: action === 'discard', possible: count > 0 }))) return false;
    const result = await work(path, { ...body, dryRun: false }, (at, of) => say(`${number(at)} of ${number(of)} …`));
    say(`${plural(done(result), 'letter')} ${done(result) === 1 ? 'was' : 'were'} ${word}.${result.left ? ` ${number(result.left)} left.` : ''}${result.stopped ? ` ${result.stopped}.` : ''}`, Boolean(result.stopped));
    return done(result) > 0;
  } catch (problem) {
    say(problem.message, true);
    return false;
  }
}

export function start(root, context) {
  return context.rest[0] ? one(root, context) : many(root, context);
}

// The list -------------------------------------------------------------------------------------------------------------

function many(root, { query, go }) {
  const queue = isExpired(query) ? 'expired' : 'dead';
  const filter = fromHash(query);
  const parameters = Object.fromEntries(query);
  const lead = h('p', { class: 'lead', role: 'status' }, 'Reading the letters …');
  const problems = h('ul', { class: 'rows groups', 'aria-label': 'What is wrong' });
  const list = h('ul', { class: 'rows', 'aria-label': 'Letters' });
  const where = h('span', { class: 'soft' });
  const [previous, next] = ['Previous', 'Next'].map((text) => h('button', { type: 'button', class: 'quiet', disabled: true }, text));
  const field = (label, name, placeholder) => h('label', {}, `${label} `, h('input', { name, placeholder, value: query.get(name) ?? '', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }));
  const form = h(
    'form',
    { class: 'filter', 'aria-label': 'Filter' },
    field('Reason', 'reason', 'payload-invalid'),
    field('Type', 'type', 'order.*'),
    field('Address', 'address', 'user.42'),
    field('Text', 'text', 'in body, detail, headers'),
    h('label', {}, 'Failed within ', h('select', { name: 'since' }, SINCE.map(([value, text]) => h('option', { value, selected: (query.get('since') ?? '') === value }, text)))),
    h('div', { class: 'buttons' }, h('button', {}, 'Filter'), h('a', { href: hash({ queue: parameters.queue }) }, 'All')),
  );
  const patch = h('textarea', { rows: '3', spellcheck: 'false', 'aria-label': 'JSON Patch', placeholder: '[{"op": "move", "from": "/payload/ID", "path": "/payload/id"}]' });
  const to = h('input', { 'aria-label': 'Another address', placeholder: 'user.42', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  const bulk = h('div', { class: 'buttons' },
    h('button', { type: 'button', onclick: () => all('replay') }, 'Replay all of these'),
    h('button', { type: 'button', class: 'quiet danger', onclick: () => all('discard') }, 'Discard all of these'));
  root.append(
    h('h1', {}, 'Dead letters'),
    h('p', { class: 'switch' },
      h('a', { href: '#/letters', 'aria-current': queue === 'dead' ? 'page' : null }, 'dead'),
      h('a', { href: '#/letters?queue=expired', 'aria-current': queue === 'expired' ? 'page' : null }, 'expired')),
    lead,
    h('details', { open: Object.keys(filter).length === 0 }, h('summary', {}, h('h2', {}, 'What is wrong')), problems),
    h('details', { open: Object.keys(filter).length > 0 }, h('summary', {}, h('h2', {}, 'Filter')), form),
    list,
    h('div', { class: 'buttons' }, previous, next, where),
    h('details', {}, h('summary', {}, h('h2', {}, 'Change on the way')),
      h('label', {}, 'What to change in the bodies, as a JSON Patch (RFC 6902) ', patch),
      h('label', {}, 'Another address for all ', to)),
    bulk,
  );

  async function all(action) {
    let how;
    if (action === 'replay') {
      how = {};
      if (to.value.trim()) how.to = to.value.trim();
      if (patch.value.trim()) {
        try {
          how.patch = JSON.parse(patch.value);
        } catch (error) {
          say(`The patch is not JSON: ${error.message}`, true);
          return;
        }
      }
    }
    if (await change(action, queue, filter, how)) await look();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go(hash({ queue: parameters.queue, ...filled(form) }));
  });

  let befores = [];
  let at;
  let following;
  let stopped = false;

  async function page(after) {
    const found = await get('/api/dead-letters', { queue, ...filter, limit: PAGE, after, newest: 'true' });
    if (stopped) return null;
    at = after;
    following = found.next;
    list.replaceChildren(
      ...found.letters.map((letter) =>
        h(
          'li',
          {},
          h('a', { href: hash(parameters, `#/letters/${letter.id}`), 'data-item': true }, h('strong', {}, letter.reason), ` ${letter.type ?? ''}`),
          h('span', { class: 'detail' }, letter.detail),
          h('span', { class: 'soft' }, `${letter.address ?? 'no address'}, ${bytes(letter.bytes)}, `, time(letter.failedAt)),
        ),
      ),
    );
    const first = befores.length * PAGE + 1;
    where.textContent = found.matching ? `${number(first)} to ${number(first + found.letters.length - 1)} of ${number(found.matching)}` : '';
    previous.disabled = befores.length === 0;
    next.disabled = !following;
    bulk.hidden = found.matching === 0;
    return found;
  }

  async function look() {
    try {
      befores = [];
      const found = await page();
      if (!found) return;
      const some = Object.keys(filter).length > 0;
      lead.textContent = found.total === 0
        ? `No letters in ${queue}.`
        : `${plural(found.total, 'letter')} in ${queue}${some ? `, ${number(found.matching)} of them shown` : ''}.${found.beyond ? ` ${number(found.beyond)} more come when these are replayed or discarded.` : ''}`;
      const count = await get('/api/dead-letters/count', { queue, ...filter });
      if (stopped) return;
      problems.replaceChildren(
        ...count.problems.map((problem) => {
          const chosen = { queue: parameters.queue, reason: problem.reason, type: problem.type, text: problem.detail };
          return h(
            'li',
            {},
            h('a', { href: hash(chosen), 'data-item': true }, h('b', { class: 'count' }, number(problem.count)), ' ', h('strong', {}, problem.reason), ` ${problem.type}`),
            h('span', { class: 'detail' }, problem.detail),
          );
        }),
        ...(count.moreProblems ? [h('li', { class: 'soft' }, `and ${plural(count.moreProblems, 'kind')} more`)] : []),
      );
    } catch (problem) {
      if (!stopped) {
        lead.textContent = problem.message;
        lead.classList.add('bad');
      }
    }
  }

  const turn = (after) => page(after).catch((problem) => say(problem.message, true));
  next.onclick = () => {
    befores.push(at);
    turn(following);
  };
  previous.onclick = () => turn(befores.pop());
  look();
  return {
    stop: () => (stopped = true),
    j: () => step(root, 1),
    k: () => step(root, -1),
    n: () => next.click(),
    p: () => previous.click(),
  };
}

// One letter -----------------------------------------------------------------------------------------------------------

/** The body as people read it, and whether that is the same JSON. */
function pretty(body) {
  try {
    const text = JSON.stringify(JSON.parse(body), null, 2);
    // Not when the parser of this page cannot hold its numbers.
    return JSON.stringify(JSON.parse(text)) === body.replace(/\s+(?=([^"\\]*(\\.|"([^"\\]*\\.)*[^"\\]*"))*[^"]*$)/g, '') ? text : body;
  } catch {
    return body;
  }
}

function one(root, { rest: [id], query, go }) {
  const queue = isExpired(query) ? 'expired' : 'dead';
  const back = hash(Object.fromEntries(query));
  const keys = { u: () => go(back) };
  const content = h('div', {}, h('p', { role: 'status' }, 'Reading it …'));
  root.append(h('h1', {}, `Letter ${id}`), h('p', {}, h('a', { href: back }, 'Back to the list')), content);

  get(`/api/dead-letters/${encodeURIComponent(id)}`, { queue }).then(show, (problem) =>
    content.replaceChildren(h('p', { class: 'bad', role: 'alert' }, problem.message)),
  );

  function show(letter) {
    const binary = letter.body === undefined;
    const shown = binary ? letter.bodyBase64 : pretty(letter.body);
    const text = h('textarea', { name: 'body', rows: Math.min(24, shown.split('\n').length + 2), spellcheck: 'false', 'aria-label': 'Body', value: shown });
    const editor = h('form', { hidden: true, 'aria-label': 'Edit' }, text,
      h('label', {}, 'Address, if another ', h('input', { name: 'to', placeholder: letter.address ?? 'user.42', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' })),
      h('div', { class: 'buttons' }, h('button', {}, 'Replay as edited'), h('button', { type: 'button', class: 'quiet', onclick: () => edit(false) }, 'Leave it as it was')));
    const body = h('pre', { tabindex: '0', 'aria-label': 'Body' }, shown);
    const now = letter.replayedNow;
    const fact = (name, value) => (value === null || value === undefined || value === '' ? null : h('div', {}, h('dt', {}, name), h('dd', {}, value)));

    function edit(on) {
      editor.hidden = !on;
      body.hidden = on;
      (on ? text : body).focus();
    }
    const leave = async (action, how) => {
      if (await change(action, queue, { id: letter.id }, how)) go(back);
    };
    editor.addEventListener('submit', (event) => {
      event.preventDefault();
      const how = { body: text.value };
      const other = editor.elements.to.value.trim();
      if (other) how.to = other;
      leave('replay', how);
    });
    const replay = () => leave('replay', {});
    const discard = () => leave('discard');
    Object.assign(keys, { r: replay, x: discard });
    if (!binary) keys.e = () => edit(true);
    content.replaceChildren(
      h('section', { class: 'why' }, h('h2', {}, letter.reason), h('p', {}, letter.detail || 'RabbitMQ itself put it here.'),
        h('p', { class: now.taken ? 'good' : 'bad' }, now.taken ? 'Replayed now it would be taken.' : `Replayed now it would be refused again, ${now.reason}: ${now.detail}`)),
      h('div', { class: 'buttons' },
        h('button', { type: 'button', onclick: replay, 'aria-keyshortcuts': 'r' }, 'Replay'),
        binary ? null : h('button', { type: 'button', class: 'quiet', onclick: () => edit(true), 'aria-keyshortcuts': 'e' }, 'Edit'),
        h('button', { type: 'button', class: 'quiet danger', onclick: discard, 'aria-keyshortcuts': 'x' }, 'Discard')),
      h('section', {}, h('h2', {}, `Body, ${bytes(letter.bytes)}${binary ? ', not UTF-8, as Base64' : ''}`), body, editor),
      h('section', {}, h('h2', {}, 'Facts'),
        h('dl', { class: 'facts' },
          fact('address', letter.address),
          fact('type', letter.type),
          fact('failed', time(letter.failedAt)),
          fact('by', letter.node),
          fact('deliveries before', letter.deliveries ? number(letter.deliveries) : null),
          fact('published to', `${letter.exchange || 'the default exchange'}, key ${letter.routingKey}`),
          ...letter.history.map((sentence) => fact('history', sentence)))),
      h('details', {}, h('summary', {}, h('h2', {}, 'Properties and headers')), h('pre', { tabindex: '0' }, JSON.stringify({ properties: letter.properties, headers: letter.headers }, null, 2))),
    );
    content.querySelector('button').focus();
  }
  return keys;
}
