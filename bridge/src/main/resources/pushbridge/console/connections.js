// Who is connected; ends a connection, and sends a test message.
import { act, get } from './api.js';
import { bytes, confirm, filled, h, number, plural, say, step, time } from './dom.js';

export const title = 'Connections';

export function start(root, { query }) {
  const summary = h('p', { class: 'lead', role: 'status' });
  const list = h('ul', { class: 'rows', 'aria-label': 'Connections' });
  const user = h('input', { name: 'user', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', placeholder: '42, or 4* for all that begin so', value: query.get('user') ?? '' });
  const find = h('form', { class: 'inline' }, h('label', {}, 'User ', user), h('button', {}, 'Find'));
  const to = h('input', { name: 'to', required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', value: query.get('user') ? `user.${query.get('user')}` : '', placeholder: 'user.42' });
  const type = h('input', { name: 'type', required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', value: 'test' });
  const payload = h('textarea', { name: 'payload', rows: '2', spellcheck: 'false', value: '{"text": "Hello"}' });
  const outcome = h('output', {});
  const send = h(
    'form',
    { class: 'grid' },
    h('label', {}, 'To ', to),
    h('label', {}, 'Type ', type),
    h('label', { class: 'wide' }, 'Payload ', payload),
    h('div', { class: 'wide buttons' }, h('button', {}, 'Publish through RabbitMQ'), outcome),
  );
  root.append(
    h('h1', {}, 'Connections'),
    find,
    summary,
    list,
    h('section', { 'aria-label': 'Test message' }, h('h2', {}, 'Send a test message'), send),
  );

  async function look() {
    try {
      const found = await get('/api/connections', { user: user.value.trim(), limit: 100 });
      summary.textContent = user.value.trim()
        ? `${plural(found.matching, 'connection')} of ${plural(found.open, 'open one')}.`
        : `${plural(found.open, 'open connection')}${found.open > found.page.length ? `, the newest ${number(found.page.length)} of them` : ''}.`;
      list.replaceChildren(...found.page.map((connection) => row(connection, found.codes)));
    } catch (problem) {
      say(problem.message, true);
    }
  }

  function row(connection, codes) {
    const name = connection.user ?? 'anonymous';
    const code = h('select', { 'aria-label': `Close code for ${name}` }, codes.map((each) => h('option', { value: each.code, title: each.meaning }, `${each.number} ${each.code}`)));
    const close = async () => {
      const chosen = codes.find((each) => each.code === code.value);
      const what = h('p', {}, `${name} from ${connection.address} is closed with ${chosen.number} ${chosen.code}: ${chosen.meaning}`);
      if (!(await confirm('Close this connection?', what, 'Close it', { dangerous: true }))) return;
      try {
        await act(`/api/connections/${encodeURIComponent(connection.id)}/close`, { code: chosen.code });
        say(`The connection of ${name} was closed.`);
      } catch (problem) {
        say(problem.message, true);
      }
      await look();
    };
    return h(
      'li',
      {},
      h('a', { href: `#/connections?user=${encodeURIComponent(connection.user ?? '')}`, 'data-item': true }, h('strong', {}, name)),
      h('span', {}, `${connection.address}, ${connection.protocol}, opened `, time(connection.opened), connection.expires ? [', expires ', time(connection.expires)] : null),
      h('span', {}, `${plural(connection.written, 'envelope')} sent, ${bytes(connection.pendingBytes)} waiting${connection.blocked ? ', not reading' : ''}`),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'quiet', onclick: () => writeTo(`connection.${connection.id}`) }, 'Write to it'),
        code,
        h('button', { type: 'button', class: 'quiet', onclick: close }, 'Close'),
      ),
    );
  }

  function writeTo(address) {
    to.value = address;
    payload.focus();
  }

  find.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = user.value.trim();
    location.hash = wanted ? `#/connections?user=${encodeURIComponent(wanted)}` : '#/connections';
    look();
  });
  send.addEventListener('submit', async (event) => {
    event.preventDefault();
    const fields = filled(send);
    let parsed;
    try {
      parsed = JSON.parse(fields.payload ?? '');
    } catch (error) {
      outcome.className = 'bad';
      outcome.textContent = `The payload is not JSON: ${error.message}`;
      return;
    }
    try {
      const answer = await act('/api/publish', { to: fields.to, type: fields.type, payload: parsed });
      outcome.className = 'good';
      outcome.textContent = `${answer.detail} Message id ${answer.messageId}.`;
    } catch (problem) {
      outcome.className = 'bad';
      outcome.textContent = problem.message;
    }
  });
  look();
  return { j: () => step(list, 1), k: () => step(list, -1) };
}
