// Pushbridge, Apache-2.0. Described in pushbridge-client.d.ts

const V1 = 'pushbridge.v1';
const BACKOFF_MS = 1_000, BACKOFF_MAX_MS = 30_000;
const STABLE_MS = 10_000; // resets the backoff
const CONNECT_MS = 15_000; // until the welcome
const BEAT_MS = 25_000, BEAT_SPREAD_MS = 5_000, BEAT_MISSES = 2;
const PROBE_MS = 5_000; // after waking up
const ACK_MS = 100, ACK_COUNT = 32; // the bridge's window is 64
const REQUESTS = 8; // the bridge allows 16
const RENEW_MS = 5_000; // at least

const digest = (text) => {
  let a = 1, b = 1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b ^ c, 0x9e3779b1) ^ (b >>> 15);
  }
  return text.length + '.' + (a >>> 0) + '.' + (b >>> 0);
};

export class Seen {
  #limit;
  #marks = new Map();

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  add({ to, seq }, text) {
    const key = seq + to, mark = digest(text), marks = this.#marks.get(key) ?? [];
    if (marks.includes(mark)) return 'duplicate';
    this.#marks.set(key, [mark, ...marks.slice(0, 7)]);
    if (this.#marks.size > this.#limit) this.#marks.delete(this.#marks.keys().next().value);
    return marks.length ? 'conflict' : 'new';
  }

  forget({ to, seq }) {
    this.#marks.delete(seq + to);
  }
}

export class Channel {
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

  of(type) {
    return this.#handlers.filter((entry) => entry.type === type || entry.type === '*');
  }
}

export class PushClient extends EventTarget {
  #url;
  #options;
  #run;
  #seen;
  #all = new Channel();
  #channels = new Map();
  #state = 'closed';
  #link = null; // one connection's
  #retry;
  #attempts = 0;
  #resume;
  #welcomed = false; // ever
  #queue = [];
  #busy = false;

  constructor(url, options = {}) {
    super();
    this.#url = new URL(url, globalThis.location?.href).href.replace(/^http/, 'ws');
    this.#options = { ackOnError: true, WebSocket: globalThis.WebSocket, ...options };
    if (!this.#options.WebSocket) throw new Error('no WebSocket here: needs Node 22, or the option WebSocket');
    this.#run = {
      setTimeout: (task, ms) => setTimeout(task, ms),
      clearTimeout: (id) => clearTimeout(id),
      now: () => performance.now(),
      wallClock: () => Date.now(),
      random: () => Math.random(),
      window: globalThis,
      ...options.runtime,
    };
    this.#seen = options.seen ?? new Seen(options.remember);
    this.#resume = options.resume;
    this.#welcomed = Boolean(options.resume);
    this.connect();
  }

  get state() {
    return this.#state;
  }

  get connection() {
    return this.#link?.id ?? null;
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
        this.#request({ type: 'unsubscribe', payload: { channel: name } });
      });
      this.#channels.set(name, channel);
      this.#request({ type: 'subscribe', payload: { channel: name } });
    }
    return channel;
  }

  connect() {
    if (this.#state !== 'closed') return;
    this.#attempts = 0;
    this.#listen('addEventListener');
    this.#open();
  }

  close() {
    const link = this.#link;
    if (link) this.#flush(link);
    this.#drop();
    this.#end();
    link?.socket?.close(1000);
  }

  ping() {
    const link = this.#link;
    if (!link?.id) return;
    link.pinged = this.#run.now();
    this.#send(link, { type: 'ping', seq: ++link.seq });
    link.pingSeq = link.seq;
  }

  async #open() {
    this.#run.clearTimeout(this.#retry);
    const link = (this.#link = { handled: 0, acked: 0, ackedAt: -Infinity, misses: 0, seq: 0, asked: new Map(), todo: [] });
    this.#become('connecting');
    link.timer = this.#after(CONNECT_MS, () => this.#lost(link, 0, 'no answer'));
    try {
      let { token } = this.#options;
      token = await (typeof token === 'function' ? token() : token);
      if (link !== this.#link) return;
      const url = new URL(this.#url);
      if (this.#resume) url.searchParams.set('resume', this.#resume);
      const socket = (link.socket = new this.#options.WebSocket(url.href, token ? [V1, 'bearer.' + token] : [V1]));
      socket.onmessage = (event) => link === this.#link && this.#receive(link, event.data);
      socket.onclose = (event) => this.#lost(link, event.code, event.reason);
      socket.onerror = () => {}; // a close follows
    } catch (error) {
      if (link !== this.#link) return;
      this.#report('connect', { error });
      this.#lost(link, 0, 'no connection');
    }
  }

  #drop() {
    const link = this.#link;
    this.#link = null;
    for (const timer of [this.#retry, link?.timer, link?.ackTimer, link?.probe, link?.renewal]) this.#run.clearTimeout(timer);
  }

  #lost(link, code, reason) {
    if (link !== this.#link) return;
    this.#drop();
    link.socket?.close();
    if (code >= 4000 && code < 4100) {
      this.#report('refused', { code, reason });
      this.#end({ code, reason });
      return;
    }
    if (link.id && this.#run.now() - link.openedAt >= STABLE_MS) this.#attempts = 0;
    const atOnce = code >= 4200 && code < 4300 && !this.#attempts;
    const backoff = this.#run.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#attempts);
    const delay = link.comeBack ?? (atOnce ? 0 : backoff);
    this.#attempts++;
    this.#become('waiting', { code, reason, delay });
    if (this.#state === 'waiting') this.#retry = this.#after(delay, () => this.#open());
  }

  #end(detail) {
    this.#listen('removeEventListener');
    this.#become('closed', detail);
  }

  #listen(how) {
    for (const type of ['online', 'pageshow', 'visibilitychange']) this.#run.window[how]?.(type, this.#wake);
  }

  #wake = () => {
    const link = this.#link;
    if (this.#hidden()) {
      if (link) this.#flush(link);
    } else if (this.#state === 'waiting') {
      this.#open();
    } else if (link?.id) {
      link.heard = false;
      this.ping();
      this.#run.clearTimeout(link.probe);
      link.probe = this.#after(PROBE_MS, () => link.heard || this.#lost(link, 0, 'no pong'));
    }
  };

  #hidden() {
    return this.#run.window.document?.visibilityState === 'hidden';
  }

  #beat(link) {
    link.timer = this.#after(BEAT_MS + BEAT_SPREAD_MS * this.#run.random(), () => {
      link.misses = link.heard ? 0 : link.misses + 1;
      if (link.misses >= BEAT_MISSES) return this.#lost(link, 0, 'no pong');
      link.heard = false;
      this.ping();
      this.#beat(link);
    });
  }

  #receive(link, data) {
    link.heard = true;
    let frame;
    try {
      if (typeof data === 'string') frame = JSON.parse(data);
    } catch {} // a bad frame
    const type = typeof frame?.type === 'string' ? frame.type : '';
    if (type === 'pong') {
      if (frame.seq === link.pingSeq) this.#emit('round-trip', this.#run.now() - link.pinged);
    } else if (type.startsWith('bridge.')) {
      this.#control(link, type.slice(7), frame.payload ?? {}, frame.seq);
    } else {
      const good = type && typeof frame.to === 'string' && Number.isSafeInteger(frame.seq) && frame.payload instanceof Object;
      this.#queue.push([link, good && frame, data]);
      this.#pump();
    }
  }

  #control(link, type, payload, seq) {
    const request = link.asked.get(seq);
    if (link.asked.delete(seq)) this.#ask(link);
    if (type === 'welcome') {
      this.#run.clearTimeout(link.timer);
      const missed = this.#welcomed && !payload.complete;
      link.id = this.#resume = payload.connection;
      link.openedAt = this.#run.now();
      this.#welcomed = true;
      this.#beat(link);
      this.#renewal(link, payload);
      for (const channel of this.#channels.keys()) link.todo.push({ type: 'subscribe', payload: { channel } });
      this.#ask(link);
      this.#become('open', { connection: link.id, user: payload.user });
      if (missed) this.#emit('gap', { address: payload.user === null ? null : 'user.' + payload.user });
      if (link === this.#link) this.ping();
    } else if (type === 'subscribed') {
      const channel = this.#channels.get(payload.channel);
      if (!channel) return;
      const missed = channel.joined && !payload.complete;
      channel.joined = true;
      this.#emit('subscribed', payload);
      if (missed) this.#emit('gap', { address: 'channel.' + channel.name });
    } else if (type === 'renewed') {
      this.#renewal(link, payload);
      this.#emit('renewed', payload);
    } else if (type === 'going-away') {
      link.comeBack = payload.delay;
      this.#emit('going-away', payload);
    } else if (type === 'error') {
      this.#report('bridge', { ...payload, request });
    }
  }

  #pump() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#queue.length) {
      const wait = this.#handle(...this.#queue.shift());
      if (wait) {
        wait.then(() => {
          this.#busy = false;
          this.#pump();
        });
        return;
      }
    }
    this.#busy = false;
  }

  #handle(link, envelope, text) {
    if (link.failed) return; // it all comes again
    const waits = [];
    let failed = false;
    const fail = (error) => {
      failed = true;
      this.#report('handler', { error, envelope });
    };
    const verdict = envelope && this.#seen.add(envelope, text);
    if (!envelope) this.#report('bad-frame', { data: text });
    else if (verdict === 'duplicate') this.#emit('duplicate', envelope);
    else {
      if (verdict === 'conflict') this.#emit('seq-conflict', envelope);
      const channel = this.#channels.get(/^channel\.(.*)/s.exec(envelope.to)?.[1]);
      for (const { handler } of [this.#all, channel].flatMap((some) => some?.of(envelope.type) ?? [])) {
        try {
          const result = handler(envelope.payload, envelope, text);
          if (typeof result?.then === 'function') waits.push(Promise.resolve(result).catch(fail));
        } catch (error) {
          fail(error);
        }
      }
    }
    const done = () => {
      if (failed && !this.#options.ackOnError) {
        this.#seen.forget(envelope);
        link.failed = true;
        this.#resume = undefined; // a gap
        this.#lost(link, 0, 'handler failed');
      } else {
        link.handled++;
        this.#ack(link);
      }
    };
    if (waits.length && this.#options.awaitHandlers) return Promise.all(waits).then(done);
    done();
  }

  // In the message's event: timers of hidden pages may take a minute.
  #ack(link) {
    if (link.handled - link.acked >= ACK_COUNT || this.#hidden() || this.#run.now() - link.ackedAt >= ACK_MS) this.#flush(link);
    else if (link === this.#link) link.ackTimer ??= this.#after(ACK_MS, () => this.#flush(link));
  }

  #flush(link) {
    this.#run.clearTimeout(link.ackTimer);
    link.ackTimer = undefined;
    if (link !== this.#link || link.handled === link.acked) return;
    link.acked = link.handled;
    link.ackedAt = this.#run.now();
    this.#send(link, { type: 'ack', count: link.handled });
  }

  #request(frame) {
    const link = this.#link;
    if (!link?.id) return; // the welcome does
    link.todo.push(frame);
    this.#ask(link);
  }

  #ask(link) {
    while (link.todo.length && link.asked.size < REQUESTS) {
      const frame = { ...link.todo.shift(), seq: ++link.seq };
      link.asked.set(frame.seq, frame);
      this.#send(link, frame);
    }
  }

  #renewal(link, { expiresAt }) {
    const left = expiresAt * 1000 - this.#run.wallClock();
    this.#run.clearTimeout(link.renewal);
    if (typeof this.#options.token !== 'function' || !(left > 0)) return;
    link.renewal = this.#after(Math.max(RENEW_MS, left * 0.8), async () => {
      try {
        const token = await this.#options.token();
        if (link === this.#link) this.#request({ type: 'auth', payload: { token } });
      } catch (error) {
        this.#report('token', { error });
      }
    });
  }

  #send(link, frame) {
    if (link.socket.readyState === 1) link.socket.send(JSON.stringify(frame));
  }

  #after(ms, task) {
    return this.#run.setTimeout(task, Math.min(ms, 2 ** 31 - 1));
  }

  #become(state, detail) {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit('state', { state, ...detail });
  }

  #emit(type, detail) {
    return this.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { detail }));
  }

  #report(kind, detail) {
    if (this.#emit('error', { kind, ...detail })) console.error('pushbridge:', kind, detail);
  }
}
