import type { Channel, Handler, PushEvents, PushOptions, PushState } from './pushbridge-client.js';

export interface SharedPushOptions extends Omit<PushOptions, 'seen' | 'resume'> {
  /** Tabs with the same name share a connection; the address if not given. Put the user into it when the address does not. */
  share?: string;
}

/**
 * A {@link PushClient} that all tabs of an origin share. One tab, the leader, has the connection; when it goes, another one
 * takes over, and the bridge is asked to go on where the last connection ended. Every tab gets every envelope of the user;
 * those of a channel that any tab has joined reach its own handlers only in the tabs that have joined it.
 *
 * A leader that is about to be frozen hands over. One that was stopped without being told is replaced after 10 to 20 s of
 * silence, and 4 s after another tab is looked at. When it wakes up it has been told what it missed, and follows.
 *
 * An envelope is acknowledged when the leader's handlers have run; the others have been told by then. `awaitHandlers` and
 * `ackOnError` are about the leader's handlers. Events are heard in all tabs, except `round-trip`, `duplicate` and the
 * errors that are one tab's own.
 *
 * Needs Web Locks, so https or localhost; where there are none, each tab has a connection of its own.
 */
export class SharedPushClient extends EventTarget {
  constructor(url: string | URL, options?: SharedPushOptions);
  readonly state: PushState;
  /** The id of the shared connection; null when not open. */
  readonly connection: string | null;
  /** Whether this tab has the connection. */
  readonly leader: boolean;
  on<P = any>(type: string, handler: Handler<P>): () => void;
  channel(name: string): Channel;
  /** Measures the round trip, in the leader. */
  ping(): void;
  /** Takes part again after close(); after the bridge said not to come back, has the leader try again. */
  connect(): void;
  /** Leaves; another tab takes over if this one led. */
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
