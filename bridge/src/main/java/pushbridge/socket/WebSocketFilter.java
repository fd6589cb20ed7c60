package pushbridge.socket;

import org.glassfish.grizzly.Buffer;
import org.glassfish.grizzly.Connection;
import org.glassfish.grizzly.Grizzly;
import org.glassfish.grizzly.attributes.Attribute;
import org.glassfish.grizzly.filterchain.BaseFilter;
import org.glassfish.grizzly.filterchain.FilterChainContext;
import org.glassfish.grizzly.filterchain.NextAction;

/** All that stands above the transport once a connection is a WebSocket: what it reads goes to its connection. */
final class WebSocketFilter extends BaseFilter {

    private static final Attribute<PushConnection> CONNECTION =
            Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(WebSocketFilter.class.getName());

    static void attach(Connection<?> connection, PushConnection push) {
        CONNECTION.set(connection, push);
    }

    @Override
    public NextAction handleRead(FilterChainContext ctx) {
        Buffer buffer = ctx.getMessage();
        PushConnection connection = CONNECTION.get(ctx.getConnection());
        if (connection != null) {
            connection.onRead(buffer.toByteBuffer());
        }
        buffer.tryDispose();
        return ctx.getStopAction();
    }

    @Override
    public NextAction handleClose(FilterChainContext ctx) {
        PushConnection connection = CONNECTION.get(ctx.getConnection());
        if (connection != null) {
            connection.onGone();
        }
        return ctx.getStopAction();
    }
}
