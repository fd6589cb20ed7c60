// Elements without a template language: text is only ever text, so nothing from a message can become markup.

/** An element; `on…` members are listeners, `class` and the like attributes, null and false leave out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'selected') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const NUMBER = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

export const number = (value) => NUMBER.format(value);
export const short = (value) => (Math.abs(value) < 10_000 ? NUMBER.format(Math.round(value * 10) / 10) : SHORT.format(value));
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

export function bytes(count) {
  for (const [unit, size] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]]) {
    if (count >= size) return `${(count / size).toFixed(count >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return `${count} B`;
}

/** A duration in the largest unit that says something. */
export function duration(millis) {
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** When, for people: how long ago, and exactly on request. */
export function time(iso) {
  const past = Date.now() - Date.parse(iso);
  return h('time', { datetime: iso, title: iso }, past >= 0 ? `${duration(past)} ago` : `in ${duration(-past)}`);
}

/** What the operator should hear, whatever they look at. */
export function say(text, bad = false) {
  const said = document.getElementById('said');
  said.className = bad ? 'bad' : 'good';
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (said.textContent = ''), 12_000);
}

/** Asks before something is done; `what` is shown, `action` stands on the button. Whether it was confirmed. */
export function confirm(title, what, action, { dangerous = false, possible = true } = {}) {
  const dialog = document.getElementById('confirm');
  const [no, yes] = dialog.querySelectorAll('button');
  dialog.querySelector('h2').textContent = title;
  dialog.querySelector('.what').replaceChildren(...[what].flat());
  yes.textContent = action;
  yes.hidden = !possible;
  yes.className = dangerous ? 'danger' : '';
  return new Promise((resolve) => {
    let confirmed = false;
    yes.onclick = () => {
      confirmed = true;
      dialog.close();
    };
    no.onclick = () => dialog.close();
    dialog.onclose = () => resolve(confirmed);
    dialog.showModal();
    (possible ? yes : no).focus();
  });
}

/** Moves the focus in a list of links, as the arrow keys and j, k do. */
export function step(list, by) {
  const items = [...list.querySelectorAll('[data-item]')];
  const at = items.indexOf(document.activeElement);
  const to = at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + by));
  items[to]?.focus();
  items[to]?.scrollIntoView({ block: 'nearest' });
}

/** The fields of a form that say something. */
export const filled = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value));
