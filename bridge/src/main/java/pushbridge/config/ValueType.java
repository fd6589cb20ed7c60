package pushbridge.config;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the value of a key may be, and how it is written.
 *
 * @param allowed what is allowed, to stand behind "allowed:" and in the reference
 * @param parser reads a text without spaces around it; throws IllegalArgumentException with a sentence saying what is
 *     wrong, which for a secret must not contain the text
 * @param shower writes a value as people read it, secrets masked
 * @param isList whether a YAML list is accepted; its items are joined with commas
 */
record ValueType<T>(String allowed, Function<String, T> parser, Function<T, String> shower, boolean isList) {
    private static final Pattern INTEGER = Pattern.compile("-?[0-9]{1,18}");
    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9._~-]+)+");
    private static final Pattern NAME_PREFIX = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final Pattern ORIGIN =
            Pattern.compile("\\*|[A-Za-z][A-Za-z0-9+.-]*://(\\*\\.)?[A-Za-z0-9._-]+(:[0-9]{1,5})?"
                    + "|[A-Za-z][A-Za-z0-9+.-]*://\\[[0-9A-Fa-f:.]+](:[0-9]{1,5})?");
    private static final Pattern BETWEEN_ITEMS = Pattern.compile("[,\\s]+");

    static ValueType<Long> number(long least, long most) {
        return single(
                least + " to " + most,
                text -> {
                    if (!INTEGER.matcher(text).matches()) {
                        throw new IllegalArgumentException(Units.quote(text) + " is not a whole number");
                    }
                    return inRange(text, Long.parseLong(text), least, most);
                },
                String::valueOf);
    }

    static ValueType<Integer> count(int least, int most) {
        return narrowed(number(least, most));
    }

    static ValueType<Integer> percent(int least, int most) {
        return count(least, most);
    }

    static ValueType<Integer> port() {
        return count(0, 65_535);
    }

    static ValueType<Integer> size(int least, int most) {
        return narrowed(longSize(least, most));
    }

    static ValueType<Long> longSize(long least, long most) {
        return single(
                Units.show(least) + " to " + Units.show(most),
                text -> inRange(text, Units.size(text), least, most),
                Units::show);
    }

    static ValueType<Duration> duration(Duration least, Duration most) {
        return single(
                Units.show(least) + " to " + Units.show(most),
                text -> {
                    Duration value = Units.duration(text);
                    inRange(text, value.toMillis(), least.toMillis(), most.toMillis());
                    return value;
                },
                Units::show);
    }

    /** For what a protocol counts in seconds. */
    static ValueType<Duration> wholeSeconds(Duration least, Duration most) {
        ValueType<Duration> any = duration(least, most);
        return single(
                any.allowed + ", whole seconds",
                text -> {
                    Duration value = any.parser.apply(text);
                    if (value.toMillisPart() != 0) {
                        throw new IllegalArgumentException(Units.quote(text) + " is not a whole number of seconds");
                    }
                    return value;
                },
                Units::show);
    }

    static ValueType<Boolean> flag() {
        return single(
                "true, false",
                text -> switch (text) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw new IllegalArgumentException(Units.quote(text) + " is neither true nor false");
                },
                String::valueOf);
    }

    static <E extends Enum<E>> ValueType<E> oneOf(Class<E> type) {
        List<E> values = List.of(type.getEnumConstants());
        String all = values.stream().map(ValueType::slug).collect(Collectors.joining(", "));
        return single(
                all,
                text -> values.stream()
                        .filter(value -> slug(value).equals(text))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(Units.quote(text) + " is unknown")),
                ValueType::slug);
    }

    static ValueType<String> host() {
        return single(
                "a host name or an IP address",
                text -> {
                    // InetAddress reads an empty name as loopback and would hide the mistake.
                    if (text.isEmpty() || text.chars().anyMatch(c -> c <= ' ' || c == '/' || c == '@')) {
                        throw new IllegalArgumentException(Units.quote(text) + " is no host");
                    }
                    return text;
                },
                text -> text);
    }

    static ValueType<String> path() {
        return single(
                "starts with /, then letters, digits and - . / _ ~, no / at the end",
                text -> {
                    if (!text.startsWith("/")) {
                        throw new IllegalArgumentException(Units.quote(text) + " does not start with /");
                    }
                    if (!PATH.matcher(text).matches()) {
                        throw new IllegalArgumentException(Units.quote(text) + " is no plain path");
                    }
                    return text;
                },
                text -> text);
    }

    static ValueType<Path> directory() {
        return single(
                "an existing folder",
                text -> {
                    Path folder = Path.of(text);
                    if (!Files.isDirectory(folder)) {
                        throw new IllegalArgumentException(
                                Units.quote(folder.toAbsolutePath().toString()) + " is not a folder that exists");
                    }
                    return folder;
                },
                Path::toString);
    }

    static ValueType<Path> file() {
        return single(
                "an existing file",
                text -> {
                    Path file = Path.of(text);
                    if (!Files.isRegularFile(file)) {
                        throw new IllegalArgumentException(
                                Units.quote(file.toAbsolutePath().toString()) + " is not a file that exists");
                    }
                    return file;
                },
                Path::toString);
    }

    static ValueType<List<Network>> networks() {
        return new ValueType<>(
                "networks like 10.0.0.0/8 or 2001:db8::/32, or single addresses; several separated by commas",
                text -> Arrays.stream(BETWEEN_ITEMS.split(text, -1))
                        .filter(item -> !item.isEmpty())
                        .map(Network::parse)
                        .toList(),
                networks -> networks.stream().map(Network::toString).collect(Collectors.joining(",")),
                true);
    }

    /** Anything, for what only its user can judge. */
    static ValueType<String> text() {
        return single(
                "any text",
                text -> {
                    if (text.isEmpty()) {
                        throw new IllegalArgumentException("it is empty");
                    }
                    return text;
                },
                text -> "***");
    }

    static ValueType<String> namePrefix() {
        return single(
                "1 to 64 letters, digits and . _ -, starting with a letter or digit, not with amq.",
                text -> {
                    if (!NAME_PREFIX.matcher(text).matches()) {
                        throw new IllegalArgumentException(Units.quote(text) + " cannot start the name of a queue");
                    }
                    if (text.startsWith("amq.")) {
                        throw new IllegalArgumentException("names with amq. belong to the broker");
                    }
                    return text;
                },
                text -> text);
    }

    static ValueType<List<URI>> amqpUris() {
        return new ValueType<>(
                "amqp://host:port/vhost or amqps://..., with user:password@ before the host; special characters as %XX;"
                        + " several separated by commas",
                text -> {
                    List<String> items = Arrays.stream(BETWEEN_ITEMS.split(text, -1))
                            .filter(item -> !item.isEmpty())
                            .toList();
                    if (items.isEmpty()) {
                        throw new IllegalArgumentException("there is no address in it");
                    }
                    List<URI> uris = new ArrayList<>();
                    for (int i = 0; i < items.size(); i++) {
                        uris.add(amqpUri(items.size() == 1 ? "the address" : "address " + (i + 1), items.get(i)));
                    }
                    return List.copyOf(uris);
                },
                uris -> uris.stream().map(uri -> Secrets.mask(uri.toString())).collect(Collectors.joining(",")),
                true);
    }

    /** Never shows the text: as long as it has not been understood, any part of it may be the password. */
    private static URI amqpUri(String what, String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            // Not e as the cause and not its message: both contain the text.
            throw new IllegalArgumentException(what + " is no URI: " + e.getReason() + " at character " + e.getIndex());
        }
        String scheme = uri.getScheme();
        if (scheme == null || !(scheme.equals("amqp") || scheme.equals("amqps"))) {
            throw new IllegalArgumentException(what + " does not start with amqp:// or amqps://");
        }
        String path = uri.getRawPath();
        if (uri.getHost() == null || path == null || text.indexOf('@') != text.lastIndexOf('@')) {
            throw new IllegalArgumentException(
                    what + " has no host that can be read; in a password write @ as %40, : as %3A and / as %2F");
        }
        String user = uri.getRawUserInfo();
        if (user == null ? text.indexOf('@') >= 0 : user.indexOf(':') != user.lastIndexOf(':')) {
            throw new IllegalArgumentException(
                    what + " has a special character in its password; write @ as %40, : as %3A and / as %2F");
        }
        if (uri.getPort() == 0 || uri.getPort() > 65_535) {
            throw new IllegalArgumentException(what + " has a port outside 1 to 65535");
        }
        if (path.equals("/")) {
            throw new IllegalArgumentException(
                    what + " names the empty vhost; leave the last / away, or write %2F after it for the vhost /");
        }
        if (path.indexOf('/', 1) >= 0) {
            throw new IllegalArgumentException(what + " has a / in its vhost; write it as %2F");
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    what + " has a part after ? or #, which is not read; use the keys pushbridge.amqp.* instead");
        }
        return uri;
    }

    /** Where something is loaded from. */
    static ValueType<URI> webAddress() {
        return single(
                "https://host/path, or http:// on this machine",
                text -> {
                    URI uri;
                    try {
                        uri = new URI(text);
                    } catch (URISyntaxException e) {
                        throw new IllegalArgumentException(
                                "it is no address: " + e.getReason() + " at character " + e.getIndex(), e);
                    }
                    String scheme = uri.getScheme();
                    if (scheme == null || !(scheme.equals("https") || scheme.equals("http")) || uri.getHost() == null) {
                        throw new IllegalArgumentException("it is no address that starts with https:// and a host");
                    }
                    if (uri.getRawUserInfo() != null || uri.getRawFragment() != null) {
                        throw new IllegalArgumentException("it has a user name, a password or a part after #");
                    }
                    return uri;
                },
                URI::toString);
    }

    /** Any text; its allowed values are told by a sentence. */
    static ValueType<String> text(String allowed, Pattern pattern) {
        return single(
                allowed,
                text -> {
                    if (!pattern.matcher(text).matches()) {
                        throw new IllegalArgumentException(Units.quote(text) + " is not allowed");
                    }
                    return text;
                },
                text -> text);
    }

    /** A text that nobody may see, of so many bytes at least. */
    static ValueType<String> secret(int leastBytes) {
        return single(
                "at least " + leastBytes + " bytes; make one with: openssl rand -base64 48",
                text -> {
                    if (text.startsWith("-----BEGIN")) {
                        throw new IllegalArgumentException("this is a key in PEM and no secret");
                    }
                    if (text.getBytes(StandardCharsets.UTF_8).length < leastBytes) {
                        throw new IllegalArgumentException("it is too short to be safe");
                    }
                    return text;
                },
                text -> Secrets.MASK);
    }

    static ValueType<PublicKeys> publicKeys() {
        return single(
                "a PEM file with public keys or certificates: RSA, P-256, P-384, P-521 or Ed25519",
                PemFile::read,
                keys -> keys.file().toString());
    }

    /** Origins of pages, in lower case. */
    static ValueType<List<String>> origins() {
        return list(
                "origins such as https://app.example.com or https://*.example.com, separated by commas; * for any",
                item -> {
                    if (!ORIGIN.matcher(item).matches()) {
                        throw new IllegalArgumentException(Units.quote(item)
                                + " is no origin: scheme, host and perhaps a port, nothing behind them");
                    }
                    return item.toLowerCase(Locale.ROOT);
                });
    }

    /** Names with stars. */
    static ValueType<List<String>> patterns() {
        return list("names in which * stands for any characters, separated by commas", item -> item);
    }

    private static ValueType<List<String>> list(String allowed, Function<String, String> item) {
        return new ValueType<>(
                allowed,
                text -> Arrays.stream(BETWEEN_ITEMS.split(text, -1))
                        .filter(part -> !part.isEmpty())
                        .map(item)
                        .toList(),
                items -> String.join(",", items),
                true);
    }

    private static long inRange(String text, long value, long least, long most) {
        if (value < least) {
            throw new IllegalArgumentException(Units.quote(text) + " is too small");
        }
        if (value > most) {
            throw new IllegalArgumentException(Units.quote(text) + " is too large");
        }
        return value;
    }

    private static <T> ValueType<T> single(String allowed, Function<String, T> parser, Function<T, String> shower) {
        return new ValueType<>(allowed, parser, shower, false);
    }

    private static ValueType<Integer> narrowed(ValueType<Long> wide) {
        return single(
                wide.allowed,
                text -> Math.toIntExact(wide.parser.apply(text)),
                value -> wide.shower.apply(value.longValue()));
    }

    /** How a constant is written: {@code DEAD_LETTER} as dead-letter. */
    private static String slug(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether every address of a host is reachable from this machine only. A name that is unknown is not. */
    static boolean isLoopback(String host) {
        try {
            return Arrays.stream(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress);
        } catch (java.net.UnknownHostException e) {
            return false;
        }
    }
}
