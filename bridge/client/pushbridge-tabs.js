// One connection for all tabs of an origin: a leader, chosen by Web Locks, holds it and tells the others over a
// BroadcastChannel. The browser passes the lock on when the leader's tab goes, however it goes, and does not freeze a page
// that holds one. Described in pushbridge-tabs.d.ts. Apache-2.0.
import { PushClient, Seen } from './pushbridge-client.js';

const FORWARDED = ['state', 'gap', 'seq-conflict', 'subscribed', 'renewed', 'going-away'];

class TabChannel {
  #handlers = [];

  constructor(name, leave) {
    this.name = name;
    this.leave = leave;
  }

  on(type, handler) {
    const entry = { type, handler };
    this.#handlers.push(entry);
    return () => (this.#handlers = this.#handlers.filter((other) => other !== entry));
  }

  /** For the client itself. */
  of(type) {
    return this.#handlers.filter((entry) => entry.type === type || entry.type === '*');
  }
}

export class SharedPushClient extends EventTarget {
  #url;
  #options;
  #tab = crypto.randomUUID?.() ?? String(Math.random()); // randomUUID needs https or localhost, and so do locks
  #bus;
  #all = new TabChannel();
  #channels = new Map();
  #wishes = new Map(); // in the leader: channel -> the tabs that want it
  #client = null; // in the leader
  #seen;
  #state = 'connecting';
  #connection;
  #release = null;
  #abort = new AbortController();

  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = options;
    this.#seen = new Seen(options.remember);
    const name = `pushbridge:${options.share ?? new URL(url, location.href).href}`;
    this.#bus = new BroadcastChannel(name);
    this.#bus.onmessage = ({ data }) => this.#hear(data);
    this.#say({ what: 'hello' });
    navigator.locks
      .request(name, { signal: this.#abort.signal }, () => {
        this.#lead();
        return new Promise((resolve) => (this.#release = resolve));
      })
      .catch((error) => {
        if (error.name !== 'AbortError') this.#emit('error', { kind: 'connect', error });
      });
    globalThis.addEventListener('pagehide', this.#leaveAll);
  }

  get state() {
    return this.#state;
  }

  get leader() {
    return this.#client !== null;
  }

  on(type, handler) {
    return this.#all.on(type, handler);
  }

  channel(name) {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = new TabChannel(name, () => {
        if (this.#channels.get(name) !== channel) return;
        this.#channels.delete(name);
        this.#wish('leave', name);
      });
      this.#channels.set(name, channel);
      this.#wish('join', name);
    }
    return channel;
  }

  close() {
    this.#leaveAll();
    this.#abort.abort();
    this.#client?.close();
    this.#client = null;
    this.#release?.();
    this.#bus.close();
    globalThis.removeEventListener('pagehide', this.#leaveAll);
    this.#become({ state: 'closed' });
  }

  #leaveAll = () => {
    for (const name of this.#channels.keys()) this.#wish('leave', name);
  };

  // -- as the leader

  #lead() {
    const client = (this.#client = new PushClient(this.#url, { ...this.#options, seen: this.#seen, resume: this.#connection }));
    for (const type of FORWARDED) {
      client.addEventListener(type, ({ detail }) => {
        if (type === 'state' && detail.connection) this.#connection = detail.connection;
        this.#say({ what: 'event', type, detail });
        this.#event(type, detail);
      });
    }
    for (const type of ['error', 'round-trip', 'duplicate']) {
      client.addEventListener(type, (event) => {
        if (!this.#emit(type, event.detail)) event.preventDefault();
      });
    }
    // The others are told before this tab's handlers run and before the acknowledgement goes out.
    client.on('*', (payload, envelope, text) => {
      this.#say({ what: 'envelope', text });
      return this.#dispatch(envelope, text);
    });
    for (const name of this.#channels.keys()) this.#wish('join', name);
    this.#say({ what: 'who' });
  }

  #wish(what, name, tab = this.#tab) {
    if (!this.#client) {
      if (tab === this.#tab) this.#say({ what, name, tab });
      return;
    }
    const tabs = this.#wishes.get(name) ?? new Set();
    if (what === 'join') {
      this.#wishes.set(name, tabs.add(tab));
      this.#client.channel(name);
    } else if (tabs.delete(tab) && !tabs.size) {
      this.#wishes.delete(name);
      this.#client.channel(name).leave();
    }
  }

  // -- in every tab

  #hear({ what, name, tab, type, detail, text }) {
    if (what === 'join' || what === 'leave') this.#wish(what, name, tab);
    else if (what === 'hello' && this.#client) {
      this.#say({ what: 'event', type: 'state', detail: { state: this.#state, connection: this.#connection } });
    } else if (what === 'who') for (const own of this.#channels.keys()) this.#wish('join', own);
    else if (what === 'event' && !this.#client) this.#event(type, detail);
    else if (what === 'envelope' && !this.#client) {
      const envelope = JSON.parse(text);
      if (this.#seen.add(envelope, text) === 'duplicate') return;
      try {
        Promise.resolve(this.#dispatch(envelope, text)).catch((error) => this.#failed(error, envelope));
      } catch (error) {
        this.#failed(error, envelope);
      }
    }
  }

  #dispatch(envelope, text) {
    const channel = this.#channels.get(/^channel\.(.*)/s.exec(envelope.to)?.[1]);
    const results = [];
    const errors = [];
    for (const { handler } of [this.#all, channel].flatMap((some) => some?.of(envelope.type) ?? [])) {
      try {
        results.push(handler(envelope.payload, envelope, text));
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length) throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'handlers failed');
    if (results.some((result) => typeof result?.then === 'function')) return Promise.all(results);
  }

  #failed(error, envelope) {
    if (this.#emit('error', { kind: 'handler', error, envelope })) console.error('pushbridge:', 'handler', error);
  }

  #event(type, detail) {
    if (type === 'state') this.#become(detail);
    else this.#emit(type, detail);
  }

  #become(detail) {
    if (detail.connection) this.#connection = detail.connection;
    if (detail.state === this.#state) return;
    this.#state = detail.state;
    this.#emit('state', detail);
  }

  #say(message) {
    this.#bus.postMessage(message);
  }

  #emit(type, detail) {
    return this.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { detail }));
  }
}
