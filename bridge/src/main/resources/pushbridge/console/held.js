// What waits for its readers, by address; and what can be done about it.
import { get, work } from './api.js';
import { bytes, confirm, duration, filled, h, number, plural, say, step, time } from './dom.js';

export const title = 'Held';

const PAGE = 50;
const ORDERS = [['messages', 'most messages'], ['age', 'held longest'], ['expiry', 'expiring first']];

/** What each action does to messages, said before it is done. */
const ACTIONS = {
  release: { verb: 'Offer again', done: 'are offered once more', button: 'quiet' },
  'dead-letter': { verb: 'Dead-letter', done: 'are moved to the dead letters', button: 'quiet' },
  drop: { verb: 'Drop', done: 'are forgotten for good', button: 'quiet danger' },
};

/** First what would be done, then, when it is confirmed, that. Whether something was. */
async function change(action, choice) {
  const path = `/api/held/${action}`;
  const { verb, done, button } = ACTIONS[action];
  try {
    const would = await work(path, { ...choice, dryRun: true });
    const { messages, addresses } = would.chosen;
    const what = h('p', {}, `${plural(messages, 'message')} for ${plural(addresses, 'address', 'addresses')} ${done}; none that came after this question.`);
    if (!(await confirm(`${verb}?`, what, `${verb} ${number(messages)}`, { dangerous: button.includes('danger'), possible: messages > 0 }))) return false;
    // No more than was shown: what has come since is not meant.
    const result = await work(path, { ...choice, upTo: would.upTo, dryRun: false }, (at, of) => say(`${number(at)} of ${number(of)} …`));
    say(`${plural(result.messages, 'message')} ${done}.${result.stopped ? ` ${result.stopped}.` : ''}`, Boolean(result.stopped));
    return true;
  } catch (problem) {
    say(problem.message, true);
    return false;
  }
}

const buttons = (choose, after) =>
  Object.entries(ACTIONS).map(([action, { verb, button }]) =>
    h('button', { type: 'button', class: button, onclick: async () => (await change(action, choose())) && after() }, verb),
  );

/** Pages forwards and backwards over something that tells where its next page begins. */
function pages(look) {
  const [previous, next] = ['Previous', 'Next'].map((text) => h('button', { type: 'button', class: 'quiet', disabled: true }, text));
  let befores = [];
  let at;
  let following;
  async function turn(after) {
    try {
      at = after;
      following = await look(after);
      previous.disabled = befores.length === 0;
      next.disabled = !following;
    } catch (problem) {
      say(problem.message, true);
      if (after !== undefined && problem.status === 404) first(); // the last one of that page is not held any more
    }
  }
  function first() {
    befores = [];
    return turn();
  }
  next.onclick = () => {
    befores.push(at);
    turn(following);
  };
  previous.onclick = () => turn(befores.pop());
  return { element: h('div', { class: 'buttons' }, previous, next), first, keys: { n: () => next.click(), p: () => previous.click() } };
}

export function start(root, context) {
  return context.query.get('address') ? one(root, context) : many(root, context);
}

function many(root, { query, go }) {
  const lead = h('p', { class: 'lead', role: 'status' });
  const list = h('ul', { class: 'rows', 'aria-label': 'Addresses' });
  const field = (label, name, placeholder) => h('label', {}, `${label} `, h('input', { name, placeholder, value: query.get(name) ?? '', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }));
  const form = h(
    'form',
    { class: 'filter', 'aria-label': 'Filter' },
    field('Address', 'which', 'user.4*'),
    field('Held for longer than', 'older', '90m'),
    field('Messages, at least', 'least', '1'),
    h('label', {}, 'Order ', h('select', { name: 'by' }, ORDERS.map(([value, text]) => h('option', { value, selected: query.get('by') === value }, text)))),
    h('div', { class: 'buttons' }, h('button', {}, 'Show'), h('a', { href: '#/held' }, 'All')),
  );
  const [which, older, least] = ['which', 'older', 'least'].map((name) => query.get(name) ?? undefined);
  const some = which || older || least;
  function choice() {
    if (!some) return { all: true };
    return { ...(which && { addresses: [which] }), ...(older && { olderThan: older }), ...(least && { atLeast: Number(least) }) };
  }
  const paging = pages(async (after) => {
    const held = await get('/api/held/addresses', { address: which, 'older-than': older, 'at-least': least, by: query.get('by'), limit: PAGE, after });
    lead.textContent = held.messages
      ? `${plural(held.messages, 'message')} for ${plural(held.addresses, 'address', 'addresses')}, ${bytes(held.bytes)}; the oldest is ${duration(held.oldestSeconds * 1000)} old.${some ? ` Shown: ${plural(held.matching.messages, 'message')} for ${number(held.matching.addresses)}.` : ''}`
      : 'Nothing is held: everybody who is written to is there, and reads.';
    list.replaceChildren(
      ...held.page.map((address) =>
        h(
          'li',
          {},
          h('a', { href: `#/held?address=${encodeURIComponent(address.address)}`, 'data-item': true }, h('strong', {}, address.address)),
          h('span', {}, `${plural(address.messages, 'message')}, ${bytes(address.bytes)}, ${address.connections ? plural(address.connections, 'connection') : 'absent'}`),
          h('span', { class: 'soft' }, 'held since ', time(address.heldSince), ', expires ', time(address.nextExpiry)),
        ),
      ),
    );
    return held.next;
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = new URLSearchParams(filled(form)).toString();
    go(text ? `#/held?${text}` : '#/held');
  });
  root.append(
    h('h1', {}, 'Held'),
    lead,
    h('details', { open: Boolean(some) }, h('summary', {}, h('h2', {}, 'Filter')), form),
    list,
    paging.element,
    h('details', {}, h('summary', {}, h('h2', {}, some ? 'All of these' : 'All that is held')), h('div', { class: 'buttons' }, buttons(choice, paging.first))),
  );
  paging.first();
  return { ...paging.keys, j: () => step(list, 1), k: () => step(list, -1) };
}

function one(root, { query, go }) {
  const address = query.get('address');
  const lead = h('p', { class: 'lead', role: 'status' });
  const list = h('ul', { class: 'rows', 'aria-label': 'Messages' });
  const paging = pages(async (after) => {
    const held = await get('/api/held/address', { address, limit: 20, after });
    lead.textContent = `${plural(held.messages, 'message')}, ${bytes(held.bytes)}: ${held.why}.`;
    list.replaceChildren(
      ...held.page.map((message) =>
        h(
          'li',
          {},
          h('span', { tabindex: '-1', 'data-item': true }, h('strong', {}, message.type ?? '–'), ` seq ${message.seq ?? '–'}`),
          h('span', {}, `${message.state}, ${bytes(message.bytes)}${message.messageId ? `, ${message.messageId}` : ''}`),
          h('span', { class: 'soft' }, 'held since ', time(message.heldSince), ', expires ', time(message.expires)),
        ),
      ),
    );
    return held.next;
  });
  root.append(
    h('h1', {}, address),
    h('p', {}, h('a', { href: '#/held' }, 'Back to the list'), address.startsWith('user.') ? [', ', h('a', { href: `#/connections?user=${encodeURIComponent(address.slice(5))}` }, 'connections')] : null),
    lead,
    h('div', { class: 'buttons' }, buttons(() => ({ addresses: [address] }), () => go('#/held'))),
    list,
    paging.element,
  );
  paging.first();
  return { ...paging.keys, u: () => go('#/held'), j: () => step(list, 1), k: () => step(list, -1) };
}
