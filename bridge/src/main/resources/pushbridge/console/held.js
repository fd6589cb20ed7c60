// What waits for its readers.
import { get } from './api.js';
import { bytes, duration, h, number, plural, say, step, time } from './dom.js';

export const title = 'Held';

const PAGE = 50;

export function start(root) {
  const summary = h('p', { class: 'lead' });
  const list = h('ul', { class: 'rows', 'aria-label': 'Held messages' });
  const [previous, next] = ['Previous', 'Next'].map((text) => h('button', { type: 'button', class: 'quiet' }, text));
  root.append(h('h1', {}, 'Held'), summary, list, h('div', { class: 'buttons' }, previous, next));
  let befores = []; // where each page before this one began
  let at;
  let following;

  async function look(after) {
    try {
      const held = await get('/api/held', { limit: PAGE, after });
      at = after;
      following = held.next;
      summary.textContent = held.messages
        ? `${plural(held.messages, 'message')} for ${plural(held.addresses, 'address', 'addresses')}, ${bytes(held.bytes)}; the oldest is ${duration(held.oldestSeconds * 1000)} old.`
        : 'Nothing is held: everybody who is written to is there, and reads.';
      list.replaceChildren(
        ...held.page.map((message) =>
          h(
            'li',
            {},
            h('a', { href: `#/connections?user=${encodeURIComponent(message.address.replace(/^user\./, ''))}`, 'data-item': true }, h('strong', {}, message.address)),
            h('span', {}, `${bytes(message.bytes)}, expires `, time(message.expires), `, id ${message.id}`),
          ),
        ),
      );
      previous.disabled = befores.length === 0;
      next.disabled = !following;
    } catch (problem) {
      say(problem.message, true);
      if (problem.code === 'page-gone') {
        befores = [];
        await look();
      }
    }
  }

  next.onclick = () => {
    befores.push(at);
    look(following);
  };
  previous.onclick = () => look(befores.pop());
  look();
  return {
    j: () => step(list, 1),
    k: () => step(list, -1),
    n: () => next.click(),
    p: () => previous.click(),
  };
}
