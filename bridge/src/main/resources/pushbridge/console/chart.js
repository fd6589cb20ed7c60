// Lines over the last minutes. What a chart shows is also a sentence, and its points can be walked with the arrow keys.
import { h, short } from './dom.js';

const NS = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [600, 120];
const MOST = 150; // points, five minutes of them

function svg(tag, attributes) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** The next round number. */
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

/** Shows series of numbers; `push` adds one of each, null where there is none. */
export class Chart {
  #points = [];
  #series;
  #format;
  #lines = [];
  #values = [];
  #svg = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  #cursor = svg('line', { class: 'cursor', y1: 0, y2: HEIGHT, visibility: 'hidden' });
  #top = h('span', { class: 'top' });
  #at = null;

  constructor(title, series, format = short) {
    this.#series = series;
    this.#format = format;
    for (const y of [0.5, HEIGHT / 2, HEIGHT - 0.5]) this.#svg.append(svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y }));
    const legend = series.map((name, i) => {
      const line = svg('polyline', { class: `line s${i}` });
      this.#lines.push(line);
      this.#svg.append(line);
      const value = h('b', {}, '–');
      this.#values.push(value);
      return h('li', { class: `s${i}` }, `${name} `, value);
    });
    this.#svg.append(this.#cursor);
    this.plot = h('div', { class: 'plot', tabindex: '0', role: 'img', 'aria-label': title }, this.#svg, this.#top);
    this.element = h('figure', { class: 'chart' }, h('figcaption', {}, title), h('ul', { class: 'legend' }, legend), this.plot);
    this.plot.addEventListener('pointermove', (event) => {
      const box = this.plot.getBoundingClientRect();
      this.#look(Math.round(((event.clientX - box.left) / box.width) * (MOST - 1)) - (MOST - this.#points.length));
    });
    for (const away of ['pointerleave', 'blur']) this.plot.addEventListener(away, () => this.#look(null));
    this.plot.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      this.#look((this.#at ?? this.#points.length) + by);
    });
  }

  push(values) {
    this.#points.push(values);
    if (this.#points.length > MOST) this.#points.shift();
    this.#draw();
  }

  #look(at) {
    this.#at = at === null || at >= this.#points.length ? null : Math.max(0, at);
    this.#draw();
  }

  #x(i) {
    return ((MOST - this.#points.length + i) / (MOST - 1)) * WIDTH;
  }

  #draw() {
    const most = roundUp(Math.max(...this.#points.flat().filter((value) => value !== null), 0));
    this.#top.textContent = this.#format(most);
    this.#lines.forEach((line, s) => {
      const shown = this.#points.map((values, i) => [this.#x(i), values[s]]).filter(([, value]) => value !== null);
      line.setAttribute('points', shown.map(([x, value]) => `${x.toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`).join(' '));
    });
    const values = this.#points.at(this.#at ?? -1);
    this.#values.forEach((element, s) => {
      const value = values?.[s] ?? null;
      element.textContent = value === null ? '–' : this.#format(value);
    });
    const title = this.element.querySelector('figcaption').textContent;
    this.plot.setAttribute('aria-label', `${title}: ${this.#series.map((name, s) => `${name} ${this.#values[s].textContent}`).join(', ')}`);
    this.#cursor.setAttribute('visibility', this.#at === null ? 'hidden' : 'visible');
    if (this.#at !== null) for (const x of ['x1', 'x2']) this.#cursor.setAttribute(x, this.#x(this.#at));
  }
}
