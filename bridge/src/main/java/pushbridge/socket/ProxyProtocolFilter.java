package pushbridge.socket;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.glassfish.grizzly.Buffer;
import org.glassfish.grizzly.Connection;
import org.glassfish.grizzly.Grizzly;
import org.glassfish.grizzly.attributes.Attribute;
import org.glassfish.grizzly.filterchain.BaseFilter;
import org.glassfish.grizzly.filterchain.FilterChainContext;
import org.glassfish.grizzly.filterchain.NextAction;
import org.glassfish.grizzly.memory.Buffers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * In front of everything else, even of TLS: takes the PROXY protocol header from what a trusted proxy sends first, and
 * ends a connection of one that sends none. Others have nothing taken away and nothing believed.
 */
final class ProxyProtocolFilter extends BaseFilter {

    private static final Attribute<InetAddress> SOURCE =
            Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(ProxyProtocolFilter.class.getName() + ".source");
    private static final Attribute<Boolean> READ =
            Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(ProxyProtocolFilter.class.getName() + ".read");

    private static final Logger log = LoggerFactory.getLogger(ProxyProtocolFilter.class);

    private final Proxies proxies;
    private final RefusalCounts refusals;

    ProxyProtocolFilter(Proxies proxies, RefusalCounts refusals) {
        this.proxies = proxies;
        this.refusals = refusals;
    }

    /** Whom a connection comes from: as the proxy in front says, or else the other end. */
    static InetAddress peerOf(Connection<?> connection) {
        InetAddress source = SOURCE.get(connection);
        return source == null ? AddressGuard.otherEnd(connection) : source;
    }

    @Override
    public NextAction handleRead(FilterChainContext ctx) {
        Connection<?> connection = ctx.getConnection();
        if (READ.get(connection) != null || !proxies.speaksProxyProtocol(AddressGuard.otherEnd(connection))) {
            return ctx.getInvokeAction();
        }
        Buffer bytes = ctx.getMessage();
        ProxyHeader header = ProxyHeader.read(bytes.toByteBuffer());
        if (header instanceof ProxyHeader.Incomplete) {
            return ctx.getStopAction(bytes); // comes again with what follows
        }
        if (header instanceof ProxyHeader.Broken broken) {
            log.debug(
                    "A connection of the proxy {} has no PROXY header: {}", connection.getPeerAddress(), broken.why());
            refusals.add(Refusal.NO_PROXY_HEADER);
            connection.terminateSilently();
            return ctx.getStopAction();
        }
        ProxyHeader.Whole whole = (ProxyHeader.Whole) header;
        READ.set(connection, true);
        if (whole.source() != null) {
            SOURCE.set(connection, whole.source());
        }
        ByteBuffer read = bytes.toByteBuffer();
        byte[] rest = new byte[read.remaining() - whole.length()];
        read.position(read.position() + whole.length()).get(rest);
        bytes.tryDispose();
        if (rest.length == 0) {
            return ctx.getStopAction();
        }
        // A buffer of its own: the HTTP parser stumbles over one that was put together of several reads and begins
        // later.
        ctx.setMessage(Buffers.wrap(connection.getMemoryManager(), rest));
        return ctx.getInvokeAction();
    }
}
