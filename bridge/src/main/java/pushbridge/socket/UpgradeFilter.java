package pushbridge.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.glassfish.grizzly.Buffer;
import org.glassfish.grizzly.EmptyCompletionHandler;
import org.glassfish.grizzly.WriteResult;
import org.glassfish.grizzly.asyncqueue.WritableMessage;
import org.glassfish.grizzly.filterchain.BaseFilter;
import org.glassfish.grizzly.filterchain.FilterChain;
import org.glassfish.grizzly.filterchain.FilterChainContext;
import org.glassfish.grizzly.filterchain.NextAction;
import org.glassfish.grizzly.http.HttpContent;
import org.glassfish.grizzly.http.HttpRequestPacket;
import org.glassfish.grizzly.http.HttpServerFilter;
import org.glassfish.grizzly.http.util.HttpStatus;
import org.glassfish.grizzly.memory.Buffers;
import org.glassfish.grizzly.nio.SelectorRunner;
import org.glassfish.grizzly.nio.transport.TCPNIOConnection;
import org.glassfish.grizzly.nio.transport.TCPNIOTransport;
import org.glassfish.tyrus.core.RequestContext;
import org.glassfish.tyrus.core.TyrusUpgradeResponse;
import org.glassfish.tyrus.spi.WebSocketEngine;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.delivery.CloseCode;
import pushbridge.socket.HandshakeGate.Admitted;
import pushbridge.socket.HandshakeGate.Handshake;
import pushbridge.socket.HandshakeGate.Refused;
import pushbridge.tls.TlsFilter;

/**
 * Turns a handshake on the WebSocket path into a {@link PushConnection}, or refuses it with a real HTTP response; other
 * requests go on to the HTTP handlers. Everything is decided before Tyrus hears of it, and only Tyrus' 101 opens a
 * session: it would open one behind a 401 or 503 as well.
 */
final class UpgradeFilter extends BaseFilter {

    /** When a refused client is told to come back, in seconds: a standby takes over within this, or stays one. */
    private static final int ID_BYTES = 16;
    /** In base64 without padding. */
    private static final int ID_LENGTH = 22;

    private static final int RETRY_AFTER_STANDBY = 5;

    /** For places, which get free only when somebody leaves. */
    private static final int RETRY_AFTER_FULL = 30;

    /** What Tyrus needs to know of the request; the rest would stay in memory for as long as the connection lives. */
    private static final List<String> HEADERS_FOR_TYRUS = List.of(
            "host",
            "connection",
            "upgrade",
            "origin",
            "sec-websocket-key",
            "sec-websocket-version",
            "sec-websocket-protocol");

    /** Where Grizzly keeps the parsed request and its keep-alive state: 15 kB that a WebSocket does not need. */
    private static final List<String> HTTP_ATTRIBUTES =
            List.of(HttpServerFilter.HTTP_SERVER_REQUEST_ATTR_NAME, "HttpServerFilter.KeepAliveContext");

    private static final Logger log = LoggerFactory.getLogger(UpgradeFilter.class);

    private final PushConnection.Surroundings around;
    private final Arrivals arrivals;
    private final AddressGuard addresses;
    private final RefusalCounts refusals;
    private final HandshakeGate gate;
    private final BooleanSupplier standby;
    private final WebSocketEngine engine;
    private final FilterChain webSocketChain;
    private final SecureRandom random = new SecureRandom();
    private final Map<SelectorRunner, FlushList> flushLists = new ConcurrentHashMap<>();

    UpgradeFilter(
            PushConnection.Surroundings around,
            Arrivals arrivals,
            AddressGuard addresses,
            RefusalCounts refusals,
            HandshakeGate gate,
            BooleanSupplier standby,
            WebSocketEngine engine,
            FilterChain webSocketChain) {
        this.around = around;
        this.arrivals = arrivals;
        this.addresses = addresses;
        this.refusals = refusals;
        this.gate = gate;
        this.standby = standby;
        this.engine = engine;
        this.webSocketChain = webSocketChain;
    }

    @Override
    public NextAction handleAccept(FilterChainContext ctx) {
        arrivals.accepted(ctx.getConnection());
        // A 503 needs a connection to travel on; far beyond the limit even that is too much.
        int max = around.config().maxConnections();
        if (taken() > max + Math.max(16, max / 8) || !addresses.accepted((TCPNIOConnection) ctx.getConnection())) {
            refusals.add(Refusal.CUT_OFF);
            arrivals.remove(ctx.getConnection()); // counted already, and by its deadline it would be again
            ctx.getConnection().terminateSilently();
        }
        return ctx.getInvokeAction();
    }

    @Override
    public NextAction handleClose(FilterChainContext ctx) {
        arrivals.remove(ctx.getConnection());
        return ctx.getInvokeAction();
    }

    @Override
    public NextAction handleRead(FilterChainContext ctx) {
        HttpContent content = ctx.getMessage();
        Arrivals.Arrival arrival = arrivals.of(ctx.getConnection());
        if (arrival == null || arrival.refused) {
            content.recycle();
            return ctx.getStopAction();
        }
        HttpRequestPacket request = (HttpRequestPacket) content.getHttpHeader();
        if (!isOurPath(request.getRequestURI())) {
            arrivals.requested(arrival);
            return ctx.getInvokeAction();
        }
        TCPNIOConnection tcp = (TCPNIOConnection) ctx.getConnection();
        Refused refused = handshake(tcp, request, content.getContent());
        if (refused != null) {
            refuse(tcp, arrival, refused);
        }
        return ctx.getStopAction();
    }

    private boolean isOurPath(String path) {
        String ours = around.config().path();
        return path.equals(ours) || (path.length() == ours.length() + 1 && path.startsWith(ours) && path.endsWith("/"));
    }

    private int taken() {
        return around.connections().open().size() + arrivals.count();
    }

    /** Null when the connection is a WebSocket now. */
    private @Nullable Refused handshake(TCPNIOConnection tcp, HttpRequestPacket request, Buffer behind) {
        Map<String, List<String>> headers = headersOf(request);
        InetAddress client = addresses.clientOf(tcp, headers);
        addresses.settle(tcp, headers);
        Refused tooMany = addresses.handshake(tcp, client);
        if (tooMany != null) {
            return tooMany;
        }
        if (!request.getMethod().getMethodString().equals("GET") || !asksForWebSocket(headers)) {
            return new Refused(426, "This is a WebSocket endpoint: connect with a WebSocket client.");
        }
        if (!isKey(headers.get("sec-websocket-key"))) {
            return new Refused(400, "The header Sec-WebSocket-Key must hold 16 bytes in base64.");
        }
        if (standby.getAsBoolean()) {
            return new Refused(
                    Refusal.STANDBY, 503, "This bridge is standing by; another one is active.", RETRY_AFTER_STANDBY);
        }
        if (taken() > around.config().maxConnections()) {
            return new Refused(
                    Refusal.FULL, 503, "The bridge has as many connections as it may have.", RETRY_AFTER_FULL);
        }
        Map<String, List<String>> query = parametersOf(request.getQueryString());
        if (query == null) {
            return new Refused(400, "The query has a broken percent escape.");
        }
        HandshakeGate.Admission admission = gate.admit(new Handshake(headers, query, client.getHostAddress()));
        if (admission instanceof Refused refused) {
            return refused;
        }
        Admitted who = (Admitted) admission;
        if (!around.connections().reserve(who.user())) {
            return new Refused(
                    Refusal.FULL_FOR_USER,
                    429,
                    "This user has as many connections as a user may have.",
                    RETRY_AFTER_FULL);
        }
        Refused refused = upgrade(tcp, client.getHostAddress(), headers, who, resumed(query), behind);
        if (refused != null) {
            around.connections().release(who.user());
        }
        return refused;
    }

    private @Nullable Refused upgrade(
            TCPNIOConnection tcp,
            String client,
            Map<String, List<String>> headers,
            Admitted who,
            @Nullable String resumes,
            Buffer behind) {
        List<String> extensions = headers.get("sec-websocket-extensions");
        boolean compresses = around.config().compressAbove() > 0
                && extensions != null
                && Compression.isOffered(splitAtCommas(extensions));
        PushConnection push =
                new PushConnection(around, tcp, flushListOf(tcp), newId(), client, who, resumes, compresses);
        RequestContext context = RequestContext.Builder.create()
                .requestURI(URI.create(around.config().path()))
                .parameterMap(Map.of())
                .remoteAddr(client)
                .secure(around.config().tls() != null)
                .httpSession(push)
                .build();
        for (String name : HEADERS_FOR_TYRUS) {
            List<String> values = headers.get(name);
            if (values != null) {
                // Nor a token: the request stays in memory as long as the connection does.
                context.getHeaders()
                        .put(
                                name,
                                splitAtCommas(values).stream()
                                        .filter(v -> !v.startsWith("bearer."))
                                        .toList());
            }
        }
        TyrusUpgradeResponse response = new TyrusUpgradeResponse();
        WebSocketEngine.UpgradeInfo upgrade;
        try {
            upgrade = engine.upgrade(context, response);
        } catch (RuntimeException e) {
            // Whatever Tyrus stumbles over came from the client, and the place reserved for it must be free again.
            log.debug("A handshake from {} could not be read", client, e);
            return new Refused(400, "The WebSocket handshake is malformed.");
        }
        if (upgrade.getStatus() != WebSocketEngine.UpgradeStatus.SUCCESS || response.getStatus() != 101) {
            return response.getStatus() == 426
                    ? new Refused(426, "Only version 13 of the WebSocket protocol is spoken here.")
                    : new Refused(400, "The WebSocket handshake is malformed.");
        }
        StringBuilder head = new StringBuilder("HTTP/1.1 101 Switching Protocols\r\n");
        response.getHeaders()
                .forEach((name, values) -> head.append(name)
                        .append(": ")
                        .append(String.join(", ", values))
                        .append("\r\n"));
        if (compresses) {
            head.append("Sec-WebSocket-Extensions: ").append(Compression.AGREED).append("\r\n");
        }
        write(tcp, head.append("\r\n").toString(), null);
        // From here on HTTP is over for this connection; what it has left behind goes with it.
        arrivals.remove(tcp);
        HTTP_ATTRIBUTES.forEach(tcp.getAttributes()::removeAttribute);
        AddressGuard.forget(tcp);
        log.debug("Connection {} opens, from {}", push.id(), client);
        around.connections().add(push);
        WebSocketFilter.attach(tcp, push);
        tcp.setProcessor(webSocketChain);
        try {
            push.attach(upgrade.createConnection(push, reason -> push.close()));
        } catch (RuntimeException e) {
            log.error("Connection {} is ended: opening it failed", push.id(), e);
            tcp.terminateSilently();
            return null;
        }
        if (!tcp.isOpen()) {
            push.onGone(); // broke while the 101 was written, when nobody was told of it yet
        } else if (behind.hasRemaining()) {
            push.onRead(behind.toByteBuffer()); // a client that did not wait for the answer
        }
        if (standby.getAsBoolean()) {
            // It became one after it was asked, and may have told everybody to leave before this one was known.
            push.close(CloseCode.SERVICE_RESTART);
        }
        return null;
    }

    /** The connection that the client says it had before; what is no id of ours is nothing. */
    private static @Nullable String resumed(Map<String, List<String>> query) {
        List<String> ids = query.get("resume");
        return ids == null || ids.size() != 1 || ids.get(0).length() != ID_LENGTH ? null : ids.get(0);
    }

    private FlushList flushListOf(TCPNIOConnection tcp) {
        return flushLists.computeIfAbsent(
                tcp.getSelectorRunner(),
                selector -> new FlushList(((TCPNIOTransport) tcp.getTransport()).getSelectorHandler(), selector));
    }

    private String newId() {
        byte[] bits = new byte[ID_BYTES];
        random.nextBytes(bits);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bits);
    }

    private void refuse(TCPNIOConnection tcp, Arrivals.Arrival arrival, Refused refused) {
        arrival.refused = true;
        refusals.add(refused.why());
        // No louder: anybody can have this as often as they like.
        log.debug(
                "A handshake from {} is refused with {}: {}", tcp.getPeerAddress(), refused.status(), refused.reason());
        arrivals.refused(arrival, PushConnection.LINGER.toNanos());
        HttpStatus status = HttpStatus.getHttpStatus(refused.status());
        String body = refused.reason() + "\n";
        StringBuilder response = new StringBuilder()
                .append("HTTP/1.1 ")
                .append(refused.status())
                .append(' ')
                .append(status == null ? "Refused" : status.getReasonPhrase())
                .append("\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ")
                .append(body.getBytes(StandardCharsets.UTF_8).length)
                .append("\r\n");
        if (refused.status() == 426) {
            response.append("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        }
        if (refused.status() == 401) {
            response.append("WWW-Authenticate: Bearer\r\n");
        }
        if (refused.retryAfterSeconds() > 0) {
            response.append("Retry-After: ").append(refused.retryAfterSeconds()).append("\r\n");
        }
        write(tcp, response.append("\r\n").append(body).toString(), new EmptyCompletionHandler<>() {
            @Override
            public void completed(WriteResult<WritableMessage, SocketAddress> result) {
                try {
                    TlsFilter.sendCloseNotify(tcp);
                    // Not closed at once: a reset for bytes still unread here could overtake the response.
                    ((SocketChannel) tcp.getChannel()).shutdownOutput();
                } catch (IOException e) {
                    tcp.terminateSilently();
                }
            }
        });
    }

    /** Past the HTTP filters: the response is ours to the byte, and Grizzly keeps no state about it. */
    private static void write(
            TCPNIOConnection tcp,
            String head,
            @Nullable EmptyCompletionHandler<WriteResult<WritableMessage, SocketAddress>> done) {
        TCPNIOTransport transport = (TCPNIOTransport) tcp.getTransport();
        ByteBuffer bytes = ByteBuffer.wrap(head.getBytes(StandardCharsets.UTF_8));
        if (TlsFilter.isOn(tcp)) {
            tcp.write((WritableMessage) Buffers.wrap(transport.getMemoryManager(), bytes), done);
            return;
        }
        transport
                .getAsyncQueueIO()
                .getWriter()
                .write(tcp, null, Buffers.wrap(transport.getMemoryManager(), bytes), done);
    }

    // Reading the request -------------------------------------------------------------------------------------------

    private static Map<String, List<String>> headersOf(HttpRequestPacket request) {
        Map<String, List<String>> headers = new HashMap<>();
        for (String name : request.getHeaders().names()) {
            String key = name.toLowerCase(Locale.ROOT);
            if (!headers.containsKey(key)) {
                List<String> values = new ArrayList<>();
                request.getHeaders().values(name).forEach(value -> values.add(value.trim()));
                headers.put(key, values);
            }
        }
        return headers;
    }

    private static boolean asksForWebSocket(Map<String, List<String>> headers) {
        return hasToken(headers.get("upgrade"), "websocket") && hasToken(headers.get("connection"), "upgrade");
    }

    private static boolean hasToken(@Nullable List<String> values, String token) {
        return values != null && splitAtCommas(values).stream().anyMatch(token::equalsIgnoreCase);
    }

    private static List<String> splitAtCommas(List<String> values) {
        List<String> tokens = new ArrayList<>();
        for (String value : values) {
            Arrays.stream(value.split(",", -1)).map(String::trim).forEach(tokens::add);
        }
        return tokens;
    }

    private static boolean isKey(@Nullable List<String> values) {
        if (values == null || values.size() != 1) {
            return false;
        }
        try {
            return Base64.getDecoder().decode(values.get(0)).length == 16;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Null when the query is no valid one. */
    private static @Nullable Map<String, List<String>> parametersOf(@Nullable String query) {
        Map<String, List<String>> parameters = new HashMap<>();
        if (query == null || query.isEmpty()) {
            return parameters;
        }
        try {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                String name = equals < 0 ? pair : pair.substring(0, equals);
                String value = equals < 0 ? "" : pair.substring(equals + 1);
                parameters
                        .computeIfAbsent(URLDecoder.decode(name, StandardCharsets.UTF_8), key -> new ArrayList<>())
                        .add(URLDecoder.decode(value, StandardCharsets.UTF_8));
            }
        } catch (IllegalArgumentException e) {
            return null;
        }
        return parameters;
    }
}
