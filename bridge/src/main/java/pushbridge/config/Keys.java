package pushbridge.config;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofDays;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static pushbridge.config.Key.Group.ESSENTIALS;
import static pushbridge.config.Key.Group.FREQUENT;
import static pushbridge.config.Key.Group.RARE;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Everything that can be set, in the order of the data path. This table is the truth: reading, checking, masking and
 * the reference all follow from it. Sizes and times are limits of one bridge unless the sentence says otherwise.
 *
 * <p>To add a key: a line here, a component in the record of its section, a line in {@link ConfigLoader}, and
 * {@code bin/pushbridge config-doc > bridge/CONFIGURATION.md}.
 */
final class Keys {
    private static final int KIB = 1024;
    private static final int MIB = 1024 * KIB;

    private static final Pattern WITHOUT_SPACES = Pattern.compile("\\S+");

    private static final List<Key<?>> TABLE = new ArrayList<>();

    // The way to RabbitMQ

    static final Key<List<URI>> AMQP_URI = add(new Key<>(
            "amqp.uri",
            ESSENTIALS,
            ValueType.amqpUris(),
            Key.Default.of("amqp://guest:guest@127.0.0.1:5672/%2F"),
            true,
            "Where RabbitMQ is; of several addresses, which must belong to one cluster, the next is tried when one"
                    + " fails."));
    static final Key<String> AMQP_PREFIX = key(
            "amqp.prefix",
            ESSENTIALS,
            ValueType.namePrefix(),
            "push",
            "Starts the name of every exchange and queue, so that several bridges can share a vhost.");
    static final Key<Integer> AMQP_PREFETCH = key(
            "amqp.prefetch",
            FREQUENT,
            ValueType.count(1, 65_535),
            "4096",
            "Instructions in hand at a time, taken and not yet settled. Lower it only while the queue is empty: what a killed"
                    + " bridge had in hand comes back in order only to one that takes as many.");
    static final Key<Duration> AMQP_HEARTBEAT = key(
            "amqp.heartbeat",
            RARE,
            ValueType.wholeSeconds(ofSeconds(1), ofMinutes(5)),
            "10s",
            "A broker that is silent for two of these is given up and connected again.");
    static final Key<Duration> AMQP_CONNECT_TIMEOUT = key(
            "amqp.connect-timeout",
            RARE,
            ValueType.duration(ofMillis(100), ofMinutes(5)),
            "10s",
            "How long the TCP connection, and then the AMQP handshake, may take.");
    static final Key<Duration> AMQP_CONFIRM_TIMEOUT = key(
            "amqp.confirm-timeout",
            RARE,
            ValueType.duration(ofSeconds(1), ofMinutes(10)),
            "60s",
            "How long a copy may wait for the broker's confirm before it is published again.");
    static final Key<Duration> AMQP_BACKOFF_INITIAL = key(
            "amqp.backoff-initial",
            RARE,
            ValueType.duration(ofMillis(10), ofMinutes(1)),
            "500ms",
            "First pause before connecting again.");
    static final Key<Duration> AMQP_BACKOFF_MAX = key(
            "amqp.backoff-max",
            RARE,
            ValueType.duration(ofMillis(10), ofMinutes(10)),
            "30s",
            "Longest pause before connecting again.");
    static final Key<Integer> AMQP_MAX_INBOUND_BYTES = key(
            "amqp.max-inbound-bytes",
            RARE,
            ValueType.size(64 * KIB, Integer.MAX_VALUE),
            "512MiB",
            "Largest body accepted from the broker; keep it at the broker's own maximum, because a larger body kills"
                    + " the connection every time it is delivered.");
    static final Key<Long> AMQP_DEAD_MAX_MESSAGES = key(
            "amqp.dead-max-messages",
            RARE,
            ValueType.number(1, 1_000_000_000),
            "1000000",
            "The dead-letter queue refuses more than these; nothing is acknowledged without a safe copy, so intake"
                    + " then stands still.");
    static final Key<Long> AMQP_EXPIRED_MAX_MESSAGES = key(
            "amqp.expired-max-messages",
            RARE,
            ValueType.number(1, 1_000_000_000),
            "100000",
            "The queue of expired instructions drops its oldest beyond these.");
    static final Key<Duration> AMQP_TOKEN_REFRESH = key(
            "amqp.token-refresh",
            RARE,
            ValueType.duration(ofSeconds(10), ofMinutes(29)),
            "10m",
            "How often the ownership token is taken anew; well below the broker's consumer timeout, 30m unless changed"
                    + " there.");
    static final Key<Boolean> AMQP_TLS_VERIFY = key(
            "amqp.tls.verify",
            RARE,
            ValueType.flag(),
            "true",
            "Whether the certificate behind an amqps:// address must be valid and name its host; false lets anybody between"
                    + " here and there read and change everything.");
    static final Key<Path> AMQP_TLS_CA_FILE = file(
            "amqp.tls.ca-file",
            "Certificates, in PEM, of the authorities that may have signed RabbitMQ's; without it those that Java brings.");
    static final Key<Path> AMQP_TLS_CERTIFICATE_FILE = file(
            "amqp.tls.certificate-file", "Certificate that the bridge shows RabbitMQ, in PEM; with amqp.tls.key-file.");
    static final Key<Path> AMQP_TLS_KEY_FILE =
            file("amqp.tls.key-file", "Private key of that certificate, PKCS8 in PEM.");
    static final Key<Path> AMQP_TLS_PKCS12_FILE =
            file("amqp.tls.pkcs12-file", "Certificate and key in one PKCS12 file, instead of the two.");
    static final Key<String> AMQP_TLS_PKCS12_PASSWORD =
            secret("amqp.tls.pkcs12-password", "Password of that PKCS12 file.");

    static final Key<Integer> RECEIPTS_MAX_WAITING = key(
            "receipts.max-waiting",
            RARE,
            ValueType.count(1, 1_000_000),
            "10000",
            "Receipts that may wait for RabbitMQ, some 300 bytes each; more are not sent, since nothing waits for them.");

    // Intake

    static final Key<Duration> INTAKE_START_DELAY = key(
            "intake.start-delay",
            FREQUENT,
            ValueType.duration(ZERO, ofMinutes(10)),
            "3s",
            "From the opening of the sockets to the first instruction, so that returning clients are there.");
    static final Key<Duration> STANDBY_PATIENCE = key(
            "standby.patience",
            RARE,
            ValueType.duration(ZERO, ofMinutes(10)),
            "5s",
            "How long a bridge that was not the last owner waits before it tries to become it.");
    static final Key<Integer> INTAKE_HEAP_PERCENT = key(
            "intake.heap-percent",
            RARE,
            ValueType.percent(1, 90),
            "50",
            "Share of the heap that amqp.prefetch times message.max-bytes may take; more refuses to start.");

    // At least 4, so that a message fails alone before it is poisoned; far below the x-delivery-limit of the queue, at
    // which RabbitMQ itself would give it up.
    static final Key<Integer> POISON_AFTER = key(
            "poison.after",
            RARE,
            ValueType.count(4, 100_000),
            "20",
            "A message that came back unsettled so often, because the bridge or its connection broke, is dead-lettered as"
                    + " poisoned. From half of it on messages are handled one by one, so that none is blamed for another.");

    // Messages

    static final Key<Integer> MESSAGE_MAX_BYTES = key(
            "message.max-bytes",
            FREQUENT,
            ValueType.size(256, 128 * MIB),
            "64KiB",
            "Largest message; a larger one is dead-lettered as too-large.");
    static final Key<Integer> MESSAGE_MAX_DEPTH = key(
            "message.max-depth",
            RARE,
            ValueType.count(1, 500),
            "64",
            "Deepest nesting of objects and arrays in a message; a deeper one is dead-lettered as malformed.");
    static final Key<Path> MESSAGE_TYPES_DIR = add(new Key<>(
            "message.types-dir",
            FREQUENT,
            ValueType.directory(),
            Key.Default.none(),
            false,
            "Folder with JSON Schemas named <type>.schema.json, which the payloads of these types must match."));

    // Delivery

    static final Key<Integer> LANE_WINDOW_MESSAGES = key(
            "lane.window-messages",
            FREQUENT,
            ValueType.count(1, 10_000),
            "64",
            "Messages of one address in flight at a time.");
    static final Key<Integer> LANE_WINDOW_BYTES = key(
            "lane.window-bytes",
            FREQUENT,
            ValueType.size(KIB, 1024 * MIB),
            "256KiB",
            "Bytes of one address in flight at a time; one message always may be.");
    static final Key<Duration> HOLD_AFTER = key(
            "hold.after",
            FREQUENT,
            ValueType.duration(ofMillis(10), ofMinutes(1)),
            "1s",
            "How long a message may stay undelivered before its safe copy goes elsewhere, so that a slow reader does"
                    + " not delay the others.");
    static final Key<Duration> HOLD_TTL = key(
            "hold.ttl",
            FREQUENT,
            ValueType.duration(ofSeconds(1), ofDays(30)),
            "24h",
            "How long a message waits for an absent user at most; its own expiration may be shorter.");
    static final Key<Integer> HOLD_MAX_MESSAGES = key(
            "hold.max-messages",
            FREQUENT,
            ValueType.count(1, 100_000_000),
            "1000000",
            "Messages held for absent users in all; more are dead-lettered as hold-full. About 150 bytes of heap each.");
    static final Key<Integer> HOLD_MAX_PER_ADDRESS = key(
            "hold.max-per-address",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "1000",
            "Messages held for one user; more are dead-lettered as hold-full.");
    static final Key<Long> HOLD_MAX_BYTES = key(
            "hold.max-bytes",
            FREQUENT,
            ValueType.longSize(MIB, 1024L * 1024 * MIB),
            "2GiB",
            "What all held messages may take in RabbitMQ's log; more are dead-lettered as hold-full. On RabbitMQ's disks the"
                    + " log grows to about five times as much before its oldest part is deleted.");
    static final Key<Long> HOLD_CACHE_BYTES = key(
            "hold.cache-bytes",
            RARE,
            ValueType.longSize(MIB, 1024L * 1024 * MIB),
            "64MiB",
            "Bodies of held messages kept in memory, the latest ones; others are read from the log when needed, at most"
                    + " as much again at the same time.");
    static final Key<Long> HOLD_SEGMENT_BYTES = key(
            "hold.segment-bytes",
            RARE,
            ValueType.longSize(MIB, 4096L * MIB),
            "100MiB",
            "Size of one file of the log, the unit in which RabbitMQ frees disk.");
    static final Key<Duration> FANOUT_PATIENCE = key(
            "fanout.patience",
            RARE,
            ValueType.duration(ZERO, ofMinutes(1)),
            "2s",
            "How long a message for many waits for full outboxes that are being read, and how long everything waits while all outboxes together are full.");
    static final Key<Integer> DELIVERY_MAX_REQUESTS = key(
            "delivery.max-requests",
            RARE,
            ValueType.count(1, 1_000),
            "16",
            "Requests of one connection that may wait to be handled; more close it.");
    static final Key<Integer> DELIVERY_MAX_CHANNELS = key(
            "delivery.max-channels",
            FREQUENT,
            ValueType.count(1, 10_000),
            "100",
            "Channels one connection may subscribe to.");
    static final Key<Integer> DELIVERY_REMEMBERED_CONNECTIONS = key(
            "delivery.remembered-connections",
            RARE,
            ValueType.count(0, 1_000_000),
            "20000",
            "Closed connections remembered, so that a page that comes back with resume=ID can be told that it missed"
                    + " nothing; some 300 bytes each.");

    // Outboxes

    static final Key<Integer> OUTBOX_MAX_FRAMES = key(
            "outbox.max-frames",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "1024",
            "Frames that may wait for one connection.");
    static final Key<Integer> OUTBOX_MAX_BYTES = key(
            "outbox.max-bytes",
            FREQUENT,
            ValueType.size(KIB, 1024 * MIB),
            "1MiB",
            "Bytes that may wait for one connection.");
    static final Key<Integer> OUTBOX_HEAP_PERCENT = key(
            "outbox.heap-percent",
            RARE,
            ValueType.percent(1, 90),
            "25",
            "Share of the heap that all outboxes together may take; above it intake pauses.");

    // Sockets

    static final Key<String> SOCKET_HOST = key(
            "socket.host",
            ESSENTIALS,
            ValueType.host(),
            "127.0.0.1",
            "Address the public listener binds to; 0.0.0.0 for all.");
    static final Key<Integer> SOCKET_PORT = key(
            "socket.port", ESSENTIALS, ValueType.port(), "8080", "Port of the public listener; 0 takes a free one.");
    static final Key<String> SOCKET_PATH = key(
            "socket.path",
            ESSENTIALS,
            ValueType.path(),
            "/ws",
            "Path of the WebSocket endpoint; clients may add a slash at its end.");
    static final Key<SocketConfig.PlainConfirm> PLAIN_CONFIRM = key(
            "plain.confirm",
            FREQUENT,
            ValueType.oneOf(SocketConfig.PlainConfirm.class),
            "pong",
            "What counts as delivered on a connection without acknowledgements: the pong to a ping sent behind the"
                    + " frames, or that the kernel took them (written).");
    static final Key<Integer> SOCKET_MAX_CONNECTIONS = key(
            "socket.max-connections",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "20000",
            "Connections in all, handshakes included; more are answered 503.");
    static final Key<Integer> SOCKET_MAX_CONNECTIONS_PER_USER = key(
            "socket.max-connections-per-user",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "100",
            "Connections of one user; more are answered 429.");
    static final Key<Integer> SOCKET_MAX_CONNECTIONS_PER_ADDRESS = key(
            "socket.max-connections-per-address",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "1000",
            "Connections of one IPv4 address or /64 network of IPv6, handshakes included; more are answered 429. Room for an"
                    + " office behind one address; loopback has no such limit. Behind a proxy set socket.trusted-proxies.");
    static final Key<Integer> SOCKET_MAX_HANDSHAKES_PER_SECOND = key(
            "socket.max-handshakes-per-second",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "2000",
            "Handshakes a second in all; more are answered 503. All clients of socket.max-connections are back within ten"
                    + " seconds, and two cores have room for messages meanwhile.");
    static final Key<Integer> SOCKET_MAX_HANDSHAKES_PER_SECOND_PER_ADDRESS = key(
            "socket.max-handshakes-per-second-per-address",
            FREQUENT,
            ValueType.count(1, 1_000_000),
            "50",
            "Handshakes a second of one address, ten times as many in a burst, so that an office comes back at once after a"
                    + " restart; more are answered 429. Loopback has no such limit.");
    static final Key<Integer> SOCKET_MAX_FRAMES_PER_SECOND = key(
            "socket.max-frames-per-second",
            RARE,
            ValueType.count(1, 1_000_000),
            "100",
            "Frames a second from one client, pings and fragments included, four times as many in a burst; more close it with"
                    + " 4102. A pong or ack that confirms something is not counted, so it bounds requests only.");
    static final Key<Duration> SOCKET_HANDSHAKE_TIMEOUT = key(
            "socket.handshake-timeout",
            RARE,
            ValueType.duration(ofMillis(100), ofMinutes(5)),
            "10s",
            "From accepting a connection to its finished upgrade.");
    static final Key<Integer> SOCKET_MAX_HEADER_BYTES = key(
            "socket.max-header-bytes",
            RARE,
            ValueType.size(KIB, MIB),
            "16KiB",
            "Request line and headers of a handshake.");
    static final Key<Integer> SOCKET_MAX_FRAME_BYTES = key(
            "socket.max-frame-bytes",
            RARE,
            ValueType.size(128, MIB),
            "16KiB",
            "Largest frame, and largest message, from a client.");
    static final Key<Duration> SOCKET_PING_INTERVAL = key(
            "socket.ping-interval",
            FREQUENT,
            ValueType.duration(ofSeconds(1), ofMinutes(10)),
            "25s",
            "A client silent for so long is pinged; keep it below the idle timeout of proxies in between.");
    static final Key<Duration> SOCKET_PONG_TIMEOUT = key(
            "socket.pong-timeout",
            RARE,
            ValueType.duration(ofSeconds(1), ofMinutes(10)),
            "20s",
            "A client that stays silent for so long after a ping is taken for gone.");
    static final Key<Duration> ACK_TIMEOUT = key(
            "ack.timeout",
            FREQUENT,
            ValueType.duration(ofSeconds(1), ofMinutes(10)),
            "30s",
            "How long a client may leave a message unconfirmed: a pushbridge.v1 page its ack, another its pong.");
    static final Key<Duration> SOCKET_STALL_AFTER = key(
            "socket.stall-after",
            RARE,
            ValueType.duration(ofSeconds(1), ofMinutes(10)),
            "15s",
            "A connection whose writing makes no progress for so long is closed as stalled.");
    static final Key<Integer> SOCKET_SEND_BUFFER_BYTES = key(
            "socket.send-buffer-bytes",
            RARE,
            ValueType.size(4 * KIB, 16 * MIB),
            "64KiB",
            "Kernel send buffer of one connection; small, so that \"written\" means more.");
    static final Key<Integer> SOCKET_COMPRESS_ABOVE = key(
            "socket.compress-above",
            FREQUENT,
            ValueType.size(0, 16 * MIB),
            "0",
            "Messages above this size go out compressed (permessage-deflate) to clients that offer it, each compressed"
                    + " once for all of them; 0 for never. It saves traffic and costs processor time.");
    static final Key<Integer> SOCKET_SELECTORS = add(new Key<>(
            "socket.selectors",
            RARE,
            ValueType.count(1, 256),
            Key.Default.processors(1, 256),
            false,
            "Threads that read and write sockets."));
    static final Key<List<Network>> SOCKET_TRUSTED_PROXIES = add(new Key<>(
            "socket.trusted-proxies",
            FREQUENT,
            ValueType.networks(),
            Key.Default.empty(),
            false,
            "Networks of the proxies in front of the public listener. Only from them is a client's address or host taken from"
                    + " a header or PROXY protocol; anybody else could claim any."));
    static final Key<ProxyConfig.Header> SOCKET_FORWARDED_HEADER = key(
            "socket.forwarded-header",
            RARE,
            ValueType.oneOf(ProxyConfig.Header.class),
            "x-forwarded-for",
            "The header in which trusted proxies tell a client's address. Only this one is read, because a proxy hands on the"
                    + " others as the client sent them.");
    static final Key<Boolean> SOCKET_PROXY_PROTOCOL = key(
            "socket.proxy-protocol",
            RARE,
            ValueType.flag(),
            "false",
            "Whether connections from trusted proxies begin with a PROXY protocol header, version 1 or 2; those that do not"
                    + " are closed.");
    static final Key<Path> SOCKET_TLS_CERTIFICATE_FILE = file(
            "socket.tls.certificate-file",
            "Certificate of the public listener in PEM, the intermediate ones behind it; makes it wss://. Read again when the"
                    + " file changes.");
    static final Key<Path> SOCKET_TLS_KEY_FILE =
            file("socket.tls.key-file", "Private key of that certificate, PKCS8 in PEM, not encrypted.");
    static final Key<Path> SOCKET_TLS_PKCS12_FILE =
            file("socket.tls.pkcs12-file", "Certificate and key in one PKCS12 file, instead of the two.");
    static final Key<String> SOCKET_TLS_PKCS12_PASSWORD =
            secret("socket.tls.pkcs12-password", "Password of that PKCS12 file.");

    // Who may connect

    static final Key<AuthConfig.Mode> AUTH_MODE = add(new Key<>(
            "auth.mode",
            ESSENTIALS,
            ValueType.oneOf(AuthConfig.Mode.class),
            Key.Default.mandatory(),
            false,
            "How a client says who it is: with a signed token, or, for trying out only, dev, which believes the query"
                    + " (/ws?user=42&channels=news)."));
    static final Key<Boolean> AUTH_DEV_ALLOW_REMOTE = key(
            "auth.dev-allow-remote",
            RARE,
            ValueType.flag(),
            "false",
            "Lets auth.mode dev listen on an address that others can reach, where anyone can then be any user.");

    static final Key<List<String>> AUTH_ORIGINS = add(
            new Key<>(
                    "auth.origins",
                    FREQUENT,
                    ValueType.origins(),
                    Key.Default.none(),
                    false,
                    "Origins of the pages that may connect. Without any, a page that comes with a cookie, without a token, or in"
                            + " dev mode must be from the bridge's own host; a page with a token in its hands may be from anywhere."));
    static final Key<String> AUTH_SECRET = add(
            new Key<>(
                    "auth.secret",
                    ESSENTIALS,
                    ValueType.secret(32),
                    Key.Default.none(),
                    true,
                    "What tokens are signed with (HS256), its bytes as they are written here; whoever has it can be any user."));
    static final Key<String> AUTH_SECRET_PREVIOUS = add(new Key<>(
            "auth.secret-previous",
            RARE,
            ValueType.secret(32),
            Key.Default.none(),
            true,
            "The secret before that: tokens signed with it are good too, until this key is taken away."));
    static final Key<PublicKeys> AUTH_PUBLIC_KEY = add(new Key<>(
            "auth.public-key",
            ESSENTIALS,
            ValueType.publicKeys(),
            Key.Default.none(),
            false,
            "PEM file with the public keys that tokens are checked with (RS256, PS256, ES256, EdDSA and their longer"
                    + " kin), instead of a secret. Any of several keys will do. Read again when the file changes."));
    static final Key<URI> AUTH_JWKS_URL = add(new Key<>(
            "auth.jwks-url",
            ESSENTIALS,
            ValueType.webAddress(),
            Key.Default.none(),
            false,
            "Where the public keys of an identity provider are loaded from (JWKS), instead of a secret or a file."));
    static final Key<Path> AUTH_JWKS_CA_FILE = file(
            "auth.jwks-ca-file",
            "Certificates, in PEM, of the authorities that may have signed that server's; without it those that Java brings.");
    static final Key<Boolean> AUTH_JWKS_ALLOW_HTTP = key(
            "auth.jwks-allow-http",
            RARE,
            ValueType.flag(),
            "false",
            "Lets the address of the keys be http:// on another machine; anybody between here and there can then be any user.");
    static final Key<Duration> AUTH_JWKS_REFRESH = key(
            "auth.jwks-refresh",
            RARE,
            ValueType.duration(ofSeconds(10), ofDays(1)),
            "5m",
            "How often the keys are loaded; a token that names an unknown key has them loaded at once.");
    static final Key<Duration> AUTH_JWKS_LEAST_INTERVAL = key(
            "auth.jwks-least-interval",
            RARE,
            ValueType.duration(ofSeconds(1), ofMinutes(10)),
            "10s",
            "Least time from one load of the keys to the next, whatever tokens name: whoever makes some up cannot have"
                    + " them loaded more often.");
    static final Key<Duration> AUTH_JWKS_MAX_AGE = key(
            "auth.jwks-max-age",
            FREQUENT,
            ValueType.duration(ofMinutes(1), ofDays(30)),
            "24h",
            "How long the keys go on being believed when they cannot be loaded again; after that handshakes with a token"
                    + " are answered 503.");
    static final Key<Duration> AUTH_JWKS_TIMEOUT = key(
            "auth.jwks-timeout",
            RARE,
            ValueType.duration(ofMillis(100), ofMinutes(1)),
            "5s",
            "How long one load of the keys may take from beginning to end.");
    static final Key<Integer> AUTH_JWKS_MAX_BYTES = key(
            "auth.jwks-max-bytes",
            RARE,
            ValueType.size(KIB, 16 * MIB),
            "256KiB",
            "Longest answer with keys; a longer one is given up while it comes.");
    static final Key<String> AUTH_ISSUER = add(new Key<>(
            "auth.issuer",
            FREQUENT,
            ValueType.text("a text without spaces", WITHOUT_SPACES),
            Key.Default.none(),
            false,
            "What the claim iss of a token must be; without this key anything."));
    static final Key<String> AUTH_AUDIENCE = add(new Key<>(
            "auth.audience",
            FREQUENT,
            ValueType.text("a text without spaces", WITHOUT_SPACES),
            Key.Default.none(),
            false,
            "What the claim aud of a token must contain; without this key a token must have none, since it is then meant"
                    + " for somebody else."));
    static final Key<Duration> AUTH_CLOCK_SKEW = key(
            "auth.clock-skew",
            RARE,
            ValueType.wholeSeconds(ZERO, ofMinutes(10)),
            "30s",
            "By how much the clocks of whoever signs tokens and of the bridge may differ.");
    static final Key<Boolean> AUTH_REQUIRE_EXPIRY = key(
            "auth.require-expiry",
            RARE,
            ValueType.flag(),
            "true",
            "Whether a token without exp, which would be good for ever, is refused.");
    static final Key<Integer> AUTH_MAX_TOKEN_BYTES = key(
            "auth.max-token-bytes",
            RARE,
            ValueType.size(256, 64 * KIB),
            "8KiB",
            "Longest token; socket.max-header-bytes and socket.max-frame-bytes limit it too.");
    static final Key<String> AUTH_CHANNELS_CLAIM = key(
            "auth.channels-claim",
            RARE,
            ValueType.text("1 to 200 characters without spaces", Pattern.compile("\\S{1,200}")),
            "channels",
            "The claim that lists the channels a token grants, such as [\"news\", \"team-*\"].");
    static final Key<String> AUTH_COOKIE = add(
            new Key<>(
                    "auth.cookie",
                    FREQUENT,
                    ValueType.text("the name of a cookie", Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+")),
                    Key.Default.none(),
                    false,
                    "A cookie that may hold the token; then the page's origin is checked, since browsers send cookies for any page."));
    static final Key<Boolean> AUTH_QUERY_TOKEN = key(
            "auth.query-token",
            RARE,
            ValueType.flag(),
            "false",
            "Whether the token may stand in the query (?token=), for clients that can do nothing else: addresses end up in the"
                    + " logs of proxies.");
    static final Key<Boolean> AUTH_ANONYMOUS = key(
            "auth.anonymous",
            FREQUENT,
            ValueType.flag(),
            "false",
            "Whether somebody without a token may connect, to be nobody in particular.");
    static final Key<List<String>> AUTH_ANONYMOUS_CHANNELS = add(new Key<>(
            "auth.anonymous-channels",
            FREQUENT,
            ValueType.patterns(),
            Key.Default.none(),
            false,
            "The channels that they may subscribe to, such as news,public-*."));
    static final Key<Duration> AUTH_RENEWAL_INTERVAL = key(
            "auth.renewal-interval",
            RARE,
            ValueType.duration(ZERO, ofMinutes(10)),
            "5s",
            "Least time between two tokens that a client sends on an open connection; an earlier one is answered try-later.");

    // Operation

    static final Key<String> ADMIN_HOST = key(
            "admin.host",
            ESSENTIALS,
            ValueType.host(),
            "127.0.0.1",
            "Address the listener for operators binds to. One that other machines reach needs admin.token or"
                    + " admin.tls.client-ca-file.");
    static final Key<Integer> ADMIN_PORT = key(
            "admin.port",
            ESSENTIALS,
            ValueType.port(),
            "8081",
            "Port of the listener for operators; 0 takes a free one.");
    static final Key<String> ADMIN_TOKEN = add(new Key<>(
            "admin.token",
            ESSENTIALS,
            ValueType.secret(32),
            Key.Default.none(),
            true,
            "What operators, scrapers and commands show to that listener (Authorization: Bearer TOKEN). Without it whoever"
                    + " reaches the listener may do everything; /health/live and /health/ready answer anybody."));
    static final Key<Integer> ADMIN_MAX_CONNECTIONS = key(
            "admin.max-connections",
            RARE,
            ValueType.count(1, 10_000),
            "64",
            "Connections to that listener; more are closed. They are its own: the public listener cannot take them.");
    static final Key<Integer> ADMIN_MAX_BODY_BYTES = key(
            "admin.max-body-bytes",
            RARE,
            ValueType.size(KIB, 64 * MIB),
            "1MiB",
            "Largest body of a request to that listener; it is in memory as a whole.");
    static final Key<Path> ADMIN_TLS_CERTIFICATE_FILE = file(
            "admin.tls.certificate-file",
            "Certificate of the listener for operators in PEM, the intermediate ones behind it; makes it https://. Read again"
                    + " when the file changes.");
    static final Key<Path> ADMIN_TLS_KEY_FILE =
            file("admin.tls.key-file", "Private key of that certificate, PKCS8 in PEM, not encrypted.");
    static final Key<Path> ADMIN_TLS_PKCS12_FILE =
            file("admin.tls.pkcs12-file", "Certificate and key in one PKCS12 file, instead of the two.");
    static final Key<String> ADMIN_TLS_PKCS12_PASSWORD =
            secret("admin.tls.pkcs12-password", "Password of that PKCS12 file.");
    static final Key<Path> ADMIN_TLS_CLIENT_CA_FILE = file(
            "admin.tls.client-ca-file",
            "Certificates, in PEM, of authorities: whoever connects to the listener for operators must show a certificate"
                    + " signed by one of them.");
    static final Key<Integer> LETTERS_MAX_MESSAGES = key(
            "letters.max-messages",
            RARE,
            ValueType.count(1, 2_000_000),
            "200000",
            "How many dead letters are looked at together, the oldest; the others come when these are replayed or discarded."
                    + " Each costs some 250 bytes of heap while somebody looks.");
    static final Key<Long> LETTERS_MAX_BYTES = key(
            "letters.max-bytes",
            RARE,
            ValueType.longSize(MIB, 1L << 40),
            "1GiB",
            "Their bodies lie in a temporary file meanwhile, which grows no larger than about this.");
    static final Key<Duration> LETTERS_IDLE_CLOSE = key(
            "letters.idle-close",
            RARE,
            ValueType.duration(ofSeconds(1), ofMinutes(20)),
            "30s",
            "How long a bridge keeps dead letters in hand after the last question; others cannot read them meanwhile.");
    static final Key<Duration> LETTERS_SESSION_MAX = key(
            "letters.session-max",
            RARE,
            ValueType.duration(ofSeconds(1), ofMinutes(29)),
            "15m",
            "After this the next question reads them anew; with what runs then still below the broker's consumer timeout,"
                    + " 30m unless changed there.");
    static final Key<Duration> SHUTDOWN_GRACE = key(
            "shutdown.grace",
            FREQUENT,
            ValueType.duration(ZERO, ofMinutes(10)),
            "5s",
            "How long, when stopping, messages in flight may take to be confirmed and clients to read their last"
                    + " frames.");

    static final Key<Duration> SHUTDOWN_SPREAD = key(
            "shutdown.spread",
            FREQUENT,
            ValueType.duration(ZERO, ofMinutes(10)),
            "5s",
            "Time over which pages with the client library come back after a stop, each at a random moment of it, so that"
                    + " they do not all arrive at once.");
    static final Key<LogConfig.Format> LOG_FORMAT = key(
            "log.format",
            FREQUENT,
            ValueType.oneOf(LogConfig.Format.class),
            "auto",
            "How the log on standard error looks: text for people, json with one object a line, auto for text on a terminal"
                    + " and JSON elsewhere.");
    static final Key<LogConfig.Level> LOG_LEVEL = key(
            "log.level",
            FREQUENT,
            ValueType.oneOf(LogConfig.Level.class),
            "info",
            "How much the log tells at the start; `pushbridge log-level` changes it while the bridge runs.");

    /**
     * What a running bridge takes over when it is told to read its configuration again ({@code app.Reload}). Files that other
     * keys name, such as certificates, are read again as well; their names need a restart.
     */
    static final List<Key<?>> RELOADABLE = List.of(
            MESSAGE_MAX_BYTES,
            MESSAGE_MAX_DEPTH,
            MESSAGE_TYPES_DIR,
            AUTH_SECRET,
            AUTH_SECRET_PREVIOUS,
            LOG_LEVEL);

    private Keys() {}

    /** Every key, in the order of this file. */
    static List<Key<?>> all() {
        return Collections.unmodifiableList(TABLE);
    }

    private static <T> Key<T> key(String name, Key.Group group, ValueType<T> type, String fallback, String sentence) {
        return add(new Key<>(name, group, type, Key.Default.of(fallback), false, sentence));
    }

    /** A file that most do without. */
    private static Key<Path> file(String name, String sentence) {
        return add(new Key<>(name, RARE, ValueType.file(), Key.Default.none(), false, sentence));
    }

    private static Key<String> secret(String name, String sentence) {
        return add(new Key<>(name, RARE, ValueType.text(), Key.Default.none(), true, sentence));
    }

    private static <T> Key<T> add(Key<T> key) {
        TABLE.add(key);
        return key;
    }
}
