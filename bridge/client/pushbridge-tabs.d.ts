import type { Channel, Handler, PushEvents, PushOptions, PushState } from './pushbridge-client.js';

export interface SharedPushOptions extends Omit<PushOptions, 'seen' | 'resume'> {
  /** Tabs with the same name share a connection; the address if not given. Put the user into it when the address does not. */
  share?: string;
}

/**
 * A {@link PushClient} that all tabs of an origin share. One tab, the leader, has the connection; when it goes, another one
 * takes over, and the bridge is asked to go on where the last connection ended. Every tab gets every envelope of the user,
 * and of the channels that any tab has joined only those it has joined itself come to its channel's handlers.
 *
 * An envelope is acknowledged when the leader's handlers have run; the others have been told by then. Needs Web Locks, so
 * https or localhost.
 */
export class SharedPushClient extends EventTarget {
  constructor(url: string | URL, options?: SharedPushOptions);
  readonly state: PushState;
  /** Whether this tab has the connection. */
  readonly leader: boolean;
  on<P = any>(type: string, handler: Handler<P>): () => void;
  channel(name: string): Channel;
  /** Leaves; another tab takes over if this one led. */
  close(): void;
  addEventListener<K extends keyof PushEvents>(
    type: K,
    listener: (event: Event & { readonly detail: PushEvents[K] }) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
