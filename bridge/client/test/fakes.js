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
  document = { visibilityState: 'visible' };

  tell(type, visibility = this.document.visibilityState) {
    this.document.visibilityState = visibility;
    this.dispatchEvent(new Event(type));
  }
}
