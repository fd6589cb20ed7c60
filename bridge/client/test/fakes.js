// A clock that moves only when told, and a WebSocket whose other end is the test.

export class FakeClock {
  time = 1_000_000;
  #timers = new Map();
  #next = 1;

  runtime(more = {}) {
    return {
      setTimeout: (task, ms) => {
        this.#timers.set(this.#next, { at: this.time + ms, task });
        return this.#next++;
      },
      clearTimeout: (id) => this.#timers.delete(id),
      now: () => this.time,
      wallClock: () => this.time,
      random: () => 0.5,
      ...more,
    };
  }

  /** Runs what falls due, in order; promises get to run in between. */
  async advance(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].task();
      await settled();
    }
    this.time = end;
  }

  get pending() {
    return this.#timers.size;
  }
}

export const settled = () => new Promise((resolve) => setImmediate(resolve));

export class FakeSocket {
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url, protocols) {
    this.url = new URL(url);
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  static get last() {
    return FakeSocket.all.at(-1);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code ?? 'none';
    this.readyState = 3;
  }

  // -- the other end

  welcome(payload = {}) {
    this.readyState = 1;
    this.frame('bridge.welcome', { connection: `c${FakeSocket.all.length}`, user: '42', complete: false, ...payload });
  }

  frame(type, payload, seq = 0) {
    this.onmessage({ data: JSON.stringify({ type, payload, seq }) });
  }

  raw(data) {
    this.onmessage({ data });
  }

  envelope(seq, { to = 'user.42', type = 'note', text = `m${seq}` } = {}) {
    this.raw(JSON.stringify({ to, type, payload: { text }, seq }));
  }

  drop(code = 1006, reason = '') {
    this.readyState = 3;
    this.onclose({ code, reason });
  }

  sentOf(type) {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export class FakeWindow extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: 'visible' });

  tell(type, visibility = this.document.visibilityState) {
    this.document.visibilityState = visibility;
    this.dispatchEvent(new Event(type));
  }
}

/** A browser with tabs: their BroadcastChannels and locks. What reaches a tab waits until it runs, and while it is frozen. */
export class FakeBrowser {
  clock;
  tabs = [];
  #holder = null;
  #waiting = [];

  constructor(clock) {
    this.clock = clock;
  }

  tab(options) {
    const tab = new FakeTab(this, options);
    this.tabs.push(tab);
    return tab;
  }

  /** Lets every tab that is not frozen do all that is to be done. */
  async run() {
    for (let idle = 0; idle < 2; ) {
      const awake = this.tabs.filter((tab) => !tab.frozen && tab.tasks.length);
      idle = awake.length ? 0 : idle + 1;
      for (const tab of awake) tab.next()();
      await settled();
    }
  }

  async advance(ms) {
    for (let left = ms; left > 0; left -= 100) {
      await this.clock.advance(Math.min(100, left));
      await this.run();
    }
  }

  // -- locks; there is only one name in these tests

  request(tab, { steal, signal } = {}, callback) {
    return new Promise((resolve, reject) => {
      const request = { tab, callback, resolve, reject: (error) => tab.do(Object.assign(() => reject(error), { aboutLocks: true })) };
      if (steal) {
        this.#holder?.reject(new DOMException('Lock broken by another request with the steal option.', 'AbortError'));
        this.#grant(request);
        return;
      }
      signal?.addEventListener('abort', () => {
        if (!this.#waiting.includes(request)) return;
        this.#waiting = this.#waiting.filter((other) => other !== request);
        request.reject(signal.reason);
      });
      this.#waiting.push(request);
      this.#next();
    });
  }

  #grant(request) {
    this.#holder = request;
    request.tab.do(async () => {
      await request.callback();
      if (this.#holder === request) this.#release();
      request.resolve();
    });
  }

  #release() {
    this.#holder = null;
    this.#next();
  }

  #next() {
    if (!this.#holder && this.#waiting.length) this.#grant(this.#waiting.shift());
  }

  killed(tab) {
    this.tabs = this.tabs.filter((other) => other !== tab);
    this.#waiting = this.#waiting.filter((request) => request.tab !== tab);
    if (this.#holder?.tab === tab) this.#release();
  }
}

class FakeTab {
  frozen = false;
  timersHeld = false;
  locksLast = false;
  tasks = [];
  window = new FakeWindow();
  runtime;
  channels = new Set();
  #browser;

  constructor(browser, { locks = true, random = () => 0.5 } = {}) {
    this.#browser = browser;
    const tab = this;
    this.runtime = browser.clock.runtime({
      window: this.window,
      random,
      setTimeout: (task, ms) => browser.clock.runtime().setTimeout(() => this.timersHeld || this.do(task), ms),
      locks: locks ? { request: (name, options, callback) => browser.request(this, options, callback) } : undefined,
      BroadcastChannel: class {
        constructor(name) {
          this.name = name;
          tab.channels.add(this);
        }

        postMessage(message) {
          if (!tab.channels.has(this)) throw new DOMException('Channel is closed', 'InvalidStateError');
          const data = structuredClone(message);
          for (const other of browser.tabs) {
            for (const channel of other.channels) {
              if (channel !== this && channel.name === this.name) other.do(() => other.channels.has(channel) && channel.onmessage({ data }));
            }
          }
        }

        close() {
          tab.channels.delete(this);
        }
      },
    });
  }

  do(task) {
    this.tasks.push(task);
  }

  /** Browsers promise no order between what locks and what channels have to tell. */
  next() {
    const first = this.locksLast ? this.tasks.findIndex((task) => !task.aboutLocks) : 0;
    return this.tasks.splice(Math.max(0, first), 1)[0];
  }

  /** Ends as a process does: without a word. */
  kill() {
    this.tasks = [];
    this.frozen = true;
    this.channels.clear();
    this.#browser.killed(this);
  }
}
