/** The public listener: handshakes, WebSocket connections on Tyrus and Grizzly, and how they end. */
@NullMarked
package pushbridge.socket;

import org.jspecify.annotations.NullMarked;
