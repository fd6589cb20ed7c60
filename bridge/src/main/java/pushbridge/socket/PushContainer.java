package pushbridge.socket;

import jakarta.websocket.DeploymentException;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.glassfish.tyrus.core.TyrusWebSocketEngine;
import org.glassfish.tyrus.server.TyrusServerContainer;
import org.glassfish.tyrus.spi.WebSocketEngine;

/**
 * Tyrus' engine without Tyrus' listener. The stock Grizzly container queues without bound for a slow client, cannot
 * evict one, and opens a session behind a handshake answered 401; here the listener is ours and Tyrus speaks WebSocket.
 */
final class PushContainer extends TyrusServerContainer {

    private final TyrusWebSocketEngine engine;

    /**
     * @param incomingBufferBytes the most that may wait in Tyrus for the rest of a frame; kept by a connection as large
     *     as it once was
     */
    PushContainer(int incomingBufferBytes) {
        super((Set<Class<?>>) null);
        engine = TyrusWebSocketEngine.builder(this)
                .incomingBufferSize(incomingBufferBytes)
                .build();
        // The default, 0, schedules a task for every frame sent or received. Silence is found by the sweep instead.
        setDefaultMaxSessionIdleTimeout(-1);
    }

    /** Registers the endpoint; must be called once, before the listener opens. */
    void deploy(ServerEndpointConfig endpoint) {
        try {
            addEndpoint(endpoint);
            start("", 0);
            doneDeployment();
        } catch (DeploymentException | IOException e) {
            throw new IllegalStateException("Tyrus refuses the endpoint " + endpoint.getPath(), e);
        }
    }

    @Override
    public void register(Class<?> endpointClass) throws DeploymentException {
        engine.register(endpointClass, "");
    }

    @Override
    public void register(ServerEndpointConfig serverEndpointConfig) throws DeploymentException {
        engine.register(serverEndpointConfig, "");
    }

    @Override
    public WebSocketEngine getWebSocketEngine() {
        return engine;
    }

    @Override
    public Map<String, Object> getProperties() {
        return Map.of();
    }
}
