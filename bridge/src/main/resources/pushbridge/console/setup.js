// What RabbitMQ has for the bridge, and what the bridge was told.
import { get } from './api.js';
import { h, number, say } from './dom.js';

export const title = 'Setup';

export function start(root) {
  const topology = h('tbody');
  const topologySays = h('p', { class: 'soft', role: 'status' }, 'Asking RabbitMQ …');
  const settings = h('tbody');
  const settingsSay = h('p', { class: 'soft', role: 'status' });
  const filter = h('input', { name: 'key', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', placeholder: 'amqp, hold.ttl …' });
  const changed = h('input', { type: 'checkbox', checked: true });
  root.append(
    h('h1', {}, 'Setup'),
    h('section', {}, h('h2', {}, 'Topology'), topologySays, h('table', { class: 'stack' }, topology)),
    h(
      'section',
      {},
      h('h2', {}, 'Configuration'),
      h('form', { class: 'inline', onsubmit: (event) => event.preventDefault() }, h('label', {}, 'Key ', filter), h('label', { class: 'check' }, changed, ' Only what is not at its default')),
      settingsSay,
      h('table', { class: 'stack' }, settings),
    ),
  );

  let all = [];
  function show() {
    const wanted = filter.value.trim().toLowerCase();
    const shown = all.filter(({ key, default: isDefault }) => key.includes(wanted) && !(changed.checked && isDefault));
    settingsSay.textContent = `${number(shown.length)} of ${number(all.length)} keys; secrets are masked.`;
    settings.replaceChildren(
      ...shown.map(({ key, value, from }) =>
        h('tr', {}, h('th', { scope: 'row' }, key.replace(/^pushbridge\./, '')), h('td', {}, value === null ? h('span', { class: 'soft' }, 'none') : h('code', {}, value)), h('td', { class: 'soft' }, from)),
      ),
    );
  }
  filter.addEventListener('input', show);
  changed.addEventListener('change', show);

  get('/api/config').then(
    ({ settings: them }) => {
      all = them;
      show();
    },
    (problem) => say(problem.message, true),
  );
  const GOOD = ['exists', 'bound', 'unchecked', 'declared'];
  get('/api/topology').then(
    ({ findings }) => {
      const bad = findings.filter(({ state }) => !GOOD.includes(state)).length;
      topologySays.textContent = bad ? `${number(bad)} of ${number(findings.length)} are not as they should be.` : 'Everything is as it should be.';
      topology.replaceChildren(
        ...findings.map(({ kind, name, state, detail }) =>
          h('tr', {}, h('th', { scope: 'row' }, `${kind} ${name}`), h('td', { class: GOOD.includes(state) ? '' : 'bad' }, state), h('td', { class: 'soft' }, detail)),
        ),
      );
    },
    (problem) => (topologySays.textContent = problem.message),
  );
}
