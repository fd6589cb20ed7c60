// Uses the library as an application does that has installed it.
import assert from 'node:assert/strict';
import { PushClient } from 'pushbridge-client';
import { SharedPushClient } from 'pushbridge-client/tabs';

class Silent {
  close() {}
}
const push = new PushClient('wss://push.example/ws', { WebSocket: Silent });
assert.equal(push.state, 'connecting');
push.close();
assert.equal(push.state, 'closed');
assert.equal(typeof SharedPushClient, 'function');
