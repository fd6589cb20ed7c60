package pushbridge.bench;

import java.util.List;

/**
 * What a client says to a server besides WebSocket.
 *
 * @param path of the handshake; the user's name is put behind it when it ends with {@code =}
 * @param headers of the handshake, each with its line end
 * @param acknowledging whether what one read has brought is acknowledged at once, as {@code pushbridge.v1} has it
 * @param greeting texts sent when the connection is open, at most 125 bytes each
 */
record Dialect(String path, String headers, boolean acknowledging, List<String> greeting) {

    /** A plain client of the bridge. */
    static final Dialect BRIDGE = new Dialect("/ws?user=", "", false, List.of());

    /** A client of the bridge that acknowledges. */
    static final Dialect BRIDGE_V1 =
            new Dialect("/ws?user=", "Sec-WebSocket-Protocol: pushbridge.v1\r\n", true, List.of());

    /** A subscriber of Nchan. */
    static final Dialect NCHAN = new Dialect("/sub", "", false, List.of());

    /** For a server that sends everything to everybody. */
    static final Dialect BARE = new Dialect("/ws", "", false, List.of());

    /** A client of RabbitMQ's Web STOMP that subscribes to what is published to an exchange with the key {@code all}. */
    static Dialect stomp(String exchange) {
        return new Dialect(
                "/ws",
                "Sec-WebSocket-Protocol: v12.stomp\r\n",
                false,
                List.of(
                        "CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n\n\0",
                        "SUBSCRIBE\nid:0\ndestination:/exchange/" + exchange + "/all\nack:auto\n\n\0"));
    }

    String pathOf(String user) {
        return path.endsWith("=") ? path + user : path;
    }
}
