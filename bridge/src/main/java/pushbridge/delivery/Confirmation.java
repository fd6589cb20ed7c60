package pushbridge.delivery;

/** What counts as "the browser has it" on a connection. */
public enum Confirmation {
    /** The page said so with a counting {@code ack}: subprotocol {@code pushbridge.v1}. */
    ACK,
    /** The pong to a WebSocket ping sent behind the frames came back; every browser answers by itself. */
    PONG,
    /** The kernel took the frame. */
    WRITTEN
}
