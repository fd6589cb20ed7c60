// Compiles when the types say what the library does; where an error is expected, its absence is one.
import { PushClient, Seen, type Envelope, type PushError, type PushState } from 'pushbridge-client';
import { SharedPushClient } from 'pushbridge-client/tabs';

interface Notice {
  text: string;
}

const push = new PushClient('wss://push.example/ws', { token: async () => (await fetch('/push-token')).text() });
new PushClient(new URL('wss://push.example/ws'), { token: 'abc', ackOnError: false, awaitHandlers: true, remember: 100 });
new PushClient('/ws', { WebSocket: WebSocket, seen: new Seen(10), resume: 'abc' });
new PushClient('/ws', { runtime: { now: () => 1, setTimeout: (task: () => void, ms: number) => setTimeout(task, ms) } });

const off: () => void = push.on('notice', (payload, envelope, text) => {
  const address: string = envelope.to;
  const seq: number = envelope.seq;
  const frame: string = text;
  console.log(payload.text, address, seq, frame);
});
off();
push.on<Notice>('notice', async ({ text }, envelope: Envelope<Notice>) => text.length + envelope.payload.text.length);
push.channel('news').on<Notice>('notice', ({ text }) => text)();
push.channel('news').leave();

const state: PushState = push.state;
const connection: string | null = push.connection;
push.addEventListener('state', ({ detail }) => {
  const { state, delay, code, reason, user }: { state: PushState; delay?: number; code?: number; reason?: string; user?: string | null } = detail;
  console.log(state, delay, code, reason, user);
});
const onGap = ({ detail }: { detail: { address: string | null } }) => console.log(detail.address);
push.addEventListener('gap', onGap, { once: true });
push.removeEventListener('gap', onGap);
push.addEventListener('gap', ({ detail }) => detail.address?.startsWith('user.'));
push.addEventListener('seq-conflict', ({ detail }) => detail.seq + 1);
push.addEventListener('round-trip', ({ detail }) => detail.toFixed(1));
push.addEventListener('error', (event) => {
  event.preventDefault();
  const error: PushError = event.detail;
  switch (error.kind) {
    case 'handler':
      return error.envelope.to;
    case 'bad-frame':
      return error.data;
    case 'bridge':
      return error.code + error.detail;
    case 'connect':
    case 'token':
      return error.error;
    case 'refused':
      return error.code + 1;
    default: {
      const none: never = error;
      return none;
    }
  }
});

const shared = new SharedPushClient('/ws', { share: 'user 42', token: () => 'abc' });
shared.on<Notice>('notice', ({ text }) => text);
shared.channel('news').on('notice', (payload) => payload.anything);
shared.addEventListener('gap', ({ detail }) => detail.address);
const leader: boolean = shared.leader;
shared.ping();
shared.close();
shared.connect();
push.ping();
push.close();
push.connect();

// @ts-expect-error no such option
new PushClient('/ws', { tokens: 'abc' });
// @ts-expect-error the state is the library's
push.state = 'open';
// @ts-expect-error no such state
const closing: PushState = 'closing';
// @ts-expect-error no such event
push.addEventListener('gaps', ({ detail }) => detail.address);
// @ts-expect-error envelopes are not to be changed
push.on('notice', (payload, envelope) => (envelope.seq = 1));
// @ts-expect-error the memory is the shared client's own
new SharedPushClient('/ws', { seen: new Seen() });
console.log(state, connection, leader, closing);
