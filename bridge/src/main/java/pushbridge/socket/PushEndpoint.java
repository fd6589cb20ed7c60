package pushbridge.socket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.PongMessage;
import jakarta.websocket.Session;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpointConfig;
import java.util.List;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.delivery.CloseCode;

/**
 * The Jakarta WebSocket endpoint: hands what Tyrus has read to the {@link PushConnection} it was read from. One object
 * for all connections. Public only because Tyrus calls it by reflection.
 */
public final class PushEndpoint extends Endpoint {

    /** The subprotocol with acknowledgements and {@code bridge.*} frames. */
    static final String V1 = "pushbridge.v1";

    /** The subprotocol of a client that knows nothing of ours but has to name one, to offer a token beside it. */
    static final String PLAIN = "pushbridge.plain";

    private static final String CONNECTION = PushConnection.class.getName();
    private static final Logger log = LoggerFactory.getLogger(PushEndpoint.class);

    PushEndpoint() {}

    /** The endpoint at a path. */
    static ServerEndpointConfig at(String path) {
        PushEndpoint endpoint = new PushEndpoint();
        return ServerEndpointConfig.Builder.create(PushEndpoint.class, path)
                .subprotocols(List.of(V1, PLAIN))
                .configurator(new ServerEndpointConfig.Configurator() {
                    @Override
                    public <T> T getEndpointInstance(Class<T> endpointClass) {
                        return endpointClass.cast(endpoint);
                    }

                    @Override
                    public boolean checkOrigin(String origin) {
                        return true; // the handshake gate has checked it
                    }

                    @Override
                    public void modifyHandshake(
                            ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
                        // The way from the upgrade, which knows the connection, to onOpen, which needs it.
                        config.getUserProperties().put(CONNECTION, request.getHttpSession());
                    }
                })
                .build();
    }

    @Override
    public void onOpen(Session session, EndpointConfig config) {
        PushConnection connection = connectionOf(session);
        // A message may come in fragments, the whole of it never larger than this: FrameGuard has counted.
        session.addMessageHandler(String.class, new MessageHandler.Whole<String>() {
            @Override
            public void onMessage(String text) {
                connection.onText(text);
            }
        });
        session.addMessageHandler(PongMessage.class, new MessageHandler.Whole<PongMessage>() {
            @Override
            public void onMessage(PongMessage pong) {
                connection.onPong(pong.getApplicationData());
            }
        });
        connection.onOpen(session.getNegotiatedSubprotocol());
    }

    @Override
    public void onClose(Session session, CloseReason reason) {
        // Nothing to do: the close frame that Tyrus answers with goes through the connection, which then ends itself.
        log.debug("Connection {} closes: {}", connectionOf(session).id(), reason);
    }

    @Override
    public void onError(Session session, Throwable error) {
        PushConnection connection = connectionOf(session);
        // Bad input has its own close codes; what arrives here is a mistake of ours.
        log.error("Connection {} is closed: handling its frame failed", connection.id(), error);
        connection.close(CloseCode.INTERNAL_ERROR);
    }

    private static PushConnection connectionOf(Session session) {
        return (PushConnection)
                Objects.requireNonNull(session.getUserProperties().get(CONNECTION));
    }
}
