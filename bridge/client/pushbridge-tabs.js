// One connection for all tabs of an origin: a leader, chosen by Web Locks, holds it and tells the others over a
// BroadcastChannel. The browser passes the lock on when the leader's tab goes, however it goes; a leader that is frozen
// gives it up, or it is taken from it. Described in pushbridge-tabs.d.ts. Apache-2.0.
import { Channel, PushClient, Seen } from './pushbridge-client.js';

const FORWARDED = ['state', 'gap', 'seq-conflict', 'subscribed', 'renewed', 'going-away'];
const FORWARDED_ERRORS = ['bridge', 'refused']; // of what any tab may have asked for; others are the leader's own
const ASK_MS = 10_000, ASK_SPREAD_MS = 5_000; // of silence, until a tab asks the leader for a sign of life
const ANSWER_MS = 2_000, ASKS = 2; // a leader that answers neither in time is frozen

const asOne = (errors) => (errors.length === 1 ? errors[0] : new AggregateError(errors, 'handlers failed'));

/** Ends when all of them have, and tells of each that failed. */
const allOf = async (promises) => {
  const errors = (await Promise.allSettled(promises)).filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  if (errors.length) throw asOne(errors);
};

export class SharedPushClient extends EventTarget {
  #url;
  #options;
  #run;
  #name;
  #tab = globalThis.crypto?.randomUUID?.() ?? String(Math.random()); // randomUUID needs https or localhost
  #bus = null; // null after close()
  #all = new Channel();
  #channels = new Map();
  #seen;
  #state = 'closed';
  #connection;
  #timer;
  #asked = 0; // since the leader was last heard
  #seeking = null; // the request for the lock
  #release = null;
  // -- in the leader
  #leads = false;
  #client = null; // null also when the bridge has said not to come back, and this tab came to lead since
  #wishes = new Map(); // channel -> the tabs that want it

  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = options;
    this.#run = {
      setTimeout: (task, ms) => setTimeout(task, ms),
      clearTimeout: (id) => clearTimeout(id),
      random: () => Math.random(),
      window: globalThis,
      locks: globalThis.navigator?.locks,
      BroadcastChannel: globalThis.BroadcastChannel,
      ...options.runtime,
    };
    this.#name = `pushbridge:${options.share ?? new URL(url, globalThis.location?.href).href}`;
    this.#seen = new Seen(options.remember);
    this.connect();
  }

  get state() {
    return this.#state;
  }

  get connection() {
    return this.#state === 'open' ? this.#connection : null;
  }

  get leader() {
    return this.#leads;
  }

  on(type, handler) {
    return this.#all.on(type, handler);
  }

  channel(name) {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = new Channel(name, () => {
        if (this.#channels.get(name) !== channel) return;
        this.#channels.delete(name);
        this.#wish('leave', name);
      });
      this.#channels.set(name, channel);
      this.#wish('join', name);
    }
    return channel;
  }

  connect() {
    if (this.#state !== 'closed') return;
    if (this.#bus) {
      this.#connectAgain(); // the bridge had said not to
      return;
    }
    this.#bus = new this.#run.BroadcastChannel(this.#name);
    this.#bus.onmessage = ({ data }) => this.#hear(data);
    this.#become({ state: 'connecting' });
    this.#listen('addEventListener');
    this.#introduce();
    this.#seek();
  }

  close() {
    if (!this.#bus) return;
    this.#leaveAll();
    this.#rest();
    this.#listen('removeEventListener');
    this.#bus.close();
    this.#bus = null;
    this.#become({ state: 'closed' });
  }

  ping() {
    this.#client?.ping();
  }

  // -- who leads

  /** Neither leads nor wants to. A frozen page still hears the others in Chromium, but its connection stands still. */
  #rest = () => {
    this.#seeking?.abort();
    this.#seeking = null;
    this.#stopLeading();
    this.#release?.();
    this.#run.clearTimeout(this.#timer);
  };

  #rise = () => {
    if (this.#seeking) return;
    this.#introduce();
    this.#seek();
  };

  #seek(steal = false) {
    this.#seeking?.abort();
    const seeking = (this.#seeking = new AbortController());
    this.#watch();
    if (!this.#run.locks) return this.#lead(); // neither https nor localhost: each tab has its own connection
    const options = steal ? { steal } : { signal: seeking.signal };
    this.#run.locks
      .request(this.#name, options, () => {
        if (seeking.signal.aborted) return;
        this.#lead();
        return new Promise((resolve) => (this.#release = resolve));
      })
      .catch((error) => {
        if (seeking !== this.#seeking) return; // closed, or asked for in another way
        if (this.#leads) this.#follow();
        else {
          this.#report({ kind: 'connect', error });
          this.#lead();
        }
      });
  }

  #lead() {
    this.#run.clearTimeout(this.#timer);
    this.#leads = true;
    if (this.#state !== 'closed') this.#open();
  }

  /** Another tab took over while this one was frozen. */
  #follow() {
    this.#stopLeading();
    this.#introduce();
    this.#seek();
  }

  #stopLeading() {
    const client = this.#client;
    this.#client = null; // what it says from now on is of no interest
    this.#leads = false;
    this.#wishes.clear();
    client?.close();
  }

  #watch() {
    this.#run.clearTimeout(this.#timer);
    this.#asked = 0;
    if (!this.#leads) this.#timer = this.#run.setTimeout(() => this.#ask(), ASK_MS + ASK_SPREAD_MS * this.#run.random());
  }

  #ask() {
    if (this.#leads || !this.#bus) return;
    if (this.#asked === ASKS) return this.#seek(true);
    this.#asked++;
    this.#say({ what: 'ask' });
    this.#run.clearTimeout(this.#timer);
    this.#timer = this.#run.setTimeout(() => this.#ask(), ANSWER_MS);
  }

  // -- as the leader

  #open() {
    const client = (this.#client = new PushClient(this.#url, { ...this.#options, seen: this.#seen, resume: this.#connection }));
    const current = (task) => (event) => client === this.#client && task(event);
    const tell = (type, detail) => {
      this.#say({ what: 'event', type, detail });
      this.#event(type, detail);
    };
    for (const type of FORWARDED) client.addEventListener(type, current(({ detail }) => tell(type, detail)));
    for (const type of ['round-trip', 'duplicate']) client.addEventListener(type, current(({ detail }) => this.#emit(type, detail)));
    client.addEventListener(
      'error',
      current((event) => {
        event.preventDefault(); // this client reports it itself
        if (FORWARDED_ERRORS.includes(event.detail.kind)) tell('error', event.detail);
        else this.#report(event.detail);
      }),
    );
    // The others are told before this tab's handlers run and before the acknowledgement goes out.
    client.on('*', (payload, envelope, text) => {
      this.#say({ what: 'envelope', text });
      return this.#dispatch(envelope, text);
    });
    for (const name of this.#channels.keys()) this.#wish('join', name);
    this.#say({ what: 'who' });
    tell('state', { state: client.state }); // it began before anybody listened
  }

  #connectAgain() {
    if (!this.#leads) this.#say({ what: 'connect' });
    else if (this.#client) this.#client.connect();
    else this.#open();
  }

  #wish(what, name, tab = this.#tab) {
    if (!this.#leads) {
      if (tab === this.#tab) this.#say({ what, name, tab });
      return;
    }
    const tabs = this.#wishes.get(name) ?? new Set();
    if (what === 'join') {
      this.#wishes.set(name, tabs.add(tab));
      this.#client?.channel(name);
    } else if (tabs.delete(tab) && !tabs.size) {
      this.#wishes.delete(name);
      this.#client?.channel(name).leave();
    }
  }

  // -- in every tab

  #introduce() {
    this.#say({ what: 'hello' });
    for (const name of this.#channels.keys()) this.#wish('join', name);
  }

  #hear({ what, name, tab, type, detail, text }) {
    // What another leader tells counts for a leader as well: it came before the lock, or while this tab was frozen.
    if (what === 'envelope') this.#envelope(text);
    if (what === 'join' || what === 'leave') this.#wish(what, name, tab);
    else if (this.#leads) {
      if (what === 'hello' || what === 'connect') this.#connectAgain();
      if (what === 'hello') this.#say({ what: 'event', type: 'state', detail: { state: this.#state, connection: this.#connection } });
      if (what === 'ask') this.#say({ what: 'here' });
    } else if (what === 'event' || what === 'here' || what === 'envelope' || what === 'who') {
      this.#watch();
      if (what === 'event') this.#event(type, detail);
      if (what === 'who') for (const own of this.#channels.keys()) this.#wish('join', own);
    }
  }

  #envelope(text) {
    const envelope = JSON.parse(text);
    if (this.#seen.add(envelope, text) === 'duplicate') return;
    const failed = (error) => this.#report({ kind: 'handler', error, envelope });
    try {
      Promise.resolve(this.#dispatch(envelope, text)).catch(failed);
    } catch (error) {
      failed(error);
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
    const later = results.some((result) => typeof result?.then === 'function') && allOf(results);
    if (!errors.length) return later;
    if (later) later.catch((error) => this.#report({ kind: 'handler', error, envelope }));
    throw asOne(errors);
  }

  #event(type, detail) {
    if (type === 'state') this.#become(detail);
    else if (type === 'error') this.#report(detail);
    else this.#emit(type, detail);
  }

  #become(detail) {
    if (detail.connection) this.#connection = detail.connection;
    if (detail.state === this.#state) return;
    this.#state = detail.state;
    this.#emit('state', detail);
  }

  #leaveAll = () => {
    for (const name of this.#channels.keys()) this.#wish('leave', name);
  };

  #wake = ({ type, persisted }) => {
    if (type === 'pageshow' && persisted) this.#introduce(); // it had left when it was put away
    if (!this.#leads && this.#run.window.document?.visibilityState !== 'hidden') {
      this.#asked = 0;
      this.#ask();
    }
  };

  #listen(how) {
    const { window } = this.#run;
    window[how]?.('pagehide', this.#leaveAll);
    window.document?.[how]('freeze', this.#rest);
    window.document?.[how]('resume', this.#rise);
    for (const type of ['pageshow', 'visibilitychange']) window[how]?.(type, this.#wake);
  }

  #say(message) {
    this.#bus?.postMessage(message);
  }

  #report(detail) {
    if (this.#emit('error', detail)) console.error('pushbridge:', detail.kind, detail);
  }

  #emit(type, detail) {
    return this.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { detail }));
  }
}
