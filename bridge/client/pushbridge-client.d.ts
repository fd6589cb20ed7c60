/** What the application published. */
export interface Envelope<P = Record<string, unknown>> {
  /** The address: user.ID, channel.NAME, all or connection.ID. */
  readonly to: string;
  readonly type: string;
  readonly payload: P;
  /** The publisher's identifier, 0 to 2^53-1. */
  readonly seq: number;
}

/**
 * @param text the frame as it came
 * @returns a promise when it goes on asynchronously; see {@link PushOptions.awaitHandlers}
 */
export type Handler<P = any> = (payload: P, envelope: Envelope<P>, text: string) => unknown;

export interface PushOptions {
  /**
   * A token, or what gives a fresh one. A function is asked before each connection, and again after 80% of the time until
   * the expiry that the bridge names, so that the connection need not end. When it throws, the next try follows with backoff.
   */
  token?: string | (() => string | Promise<string>);
  /** Whether an envelope whose handler threw is acknowledged all the same. Default true. False: the connection ends, and the
   * envelope comes again, with all behind it, after a growing pause. */
  ackOnError?: boolean;
  /** Whether an envelope whose handlers return promises is acknowledged, and the next one handled, only when these are
   * settled. Default false. One that never settles stops everything. */
  awaitHandlers?: boolean;
  /** How many envelopes are remembered to recognise duplicates. Default 4096, about 100 bytes each. */
  remember?: number;
  /** The memory for duplicates, when several clients in a row are to have the same one. */
  seen?: Seen;
  /** The id of a connection that an earlier client had; then gaps are reported from the first connection on. */
  resume?: string;
  /** Where the platform has none: Node before 22 with the package ws. */
  WebSocket?: new (url: string, protocols: string[]) => unknown;
  /** Clock, chance and window, for tests. Times are milliseconds. */
  runtime?: Partial<{
    setTimeout(task: () => void, ms: number): unknown;
    clearTimeout(id: unknown): void;
    now(): number;
    wallClock(): number;
    random(): number;
    window: unknown;
  }>;
}

/** closed: by close() or for good by the bridge; connecting; open; waiting for the next try. */
export type PushState = 'closed' | 'connecting' | 'open' | 'waiting';

export interface PushEvents {
  /** In `open`: connection and user. In `waiting`: the pause in ms, and why. In `closed`: code and reason, if the bridge said so. */
  state: {
    state: PushState;
    connection?: string;
    user?: string | null;
    /** The close code; 0 when this side gave up. */
    code?: number;
    reason?: string;
    delay?: number;
  };
  /** Something may have been missed for this address (null: an anonymous client's): load its state anew. */
  gap: { address: string | null };
  /** An envelope with the address and seq of an earlier one, but another text. It is delivered. */
  'seq-conflict': Envelope;
  /** An envelope that came before, and is not delivered again. */
  duplicate: Envelope;
  /** A channel is subscribed to. */
  subscribed: { channel: string; complete: boolean };
  /** The bridge took a fresh token. */
  renewed: { expiresAt?: number };
  /** The bridge is about to close; the pause until the next connection, in ms. */
  'going-away': { delay: number };
  /** From a ping to its pong, in ms. */
  'round-trip': number;
  /** Also written to the console, unless preventDefault() is called. */
  error: PushError;
}

export type PushError =
  /** A handler threw, or its promise was rejected. */
  | { kind: 'handler'; error: unknown; envelope: Envelope }
  /** A frame that is no envelope; it is counted, and the stream goes on. */
  | { kind: 'bad-frame'; data: unknown }
  /** The bridge could not serve a request, say a subscription. */
  | { kind: 'bridge'; code: string; detail: string; request?: object }
  /** The token function threw, or no WebSocket could be made. */
  | { kind: 'connect' | 'token'; error: unknown }
  /** Closed with a code that says: do not come back. */
  | { kind: 'refused'; code: number; reason: string };

export interface Channel {
  readonly name: string;
  /** Handles what comes over this channel; '*' is every type. Returns what takes the handler away. */
  on<P = any>(type: string, handler: Handler<P>): () => void;
  /** Unsubscribes, and forgets the handlers. */
  leave(): void;
}

/** Recognises duplicates among the latest envelopes. */
export class Seen {
  constructor(limit?: number);
  /** Remembers an envelope and says what it is. */
  add(envelope: { to: string; seq: number }, text: string): 'new' | 'duplicate' | 'conflict';
  /** Takes it for new the next time. */
  forget(envelope: { to: string; seq: number }): void;
}

/** A connection to Pushbridge that comes back by itself. It connects at once. */
export class PushClient extends EventTarget {
  /** @param url ws(s) or http(s); relative to the page. */
  constructor(url: string | URL, options?: PushOptions);
  readonly state: PushState;
  /** Whoever knows this id can address this page as connection.ID; null when not open. */
  readonly connection: string | null;
  /** Handles envelopes of a type, whatever their address; '*' is every type. Returns what takes the handler away. */
  on<P = any>(type: string, handler: Handler<P>): () => void;
  /** Subscribes, now and after each reconnection; the same object for the same name until leave(). */
  channel(name: string): Channel;
  /** Measures the round trip; done by itself every 25 to 30 s. */
  ping(): void;
  /** Connects again after close(), or after the bridge said not to. */
  connect(): void;
  /** Acknowledges what was handled and closes. */
  close(): void;
  addEventListener<K extends keyof PushEvents>(
    type: K,
    listener: (event: Event & { readonly detail: PushEvents[K] }) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof PushEvents>(
    type: K,
    listener: (event: Event & { readonly detail: PushEvents[K] }) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}
