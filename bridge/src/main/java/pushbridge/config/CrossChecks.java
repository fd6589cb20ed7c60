package pushbridge.config;

import java.net.URI;
import java.util.Locale;
import java.util.stream.Stream;

/** What must hold between keys. Each check is skipped while one of its keys could not be read. */
final class CrossChecks {
    /** The rest of the heap is for everything that has no key: connections, the JSON being read, the JVM's own room. */
    private static final int MOST_PERCENT_OF_HEAP = 90;

    private final Values values;
    private final Machine machine;
    private final Problems problems;

    private CrossChecks(Values values, Machine machine, Problems problems) {
        this.values = values;
        this.machine = machine;
        this.problems = problems;
    }

    static void check(Values values, Machine machine, Problems problems) {
        CrossChecks checks = new CrossChecks(values, machine, problems);
        checks.prefetchFitsTheHeap();
        checks.sharesOfTheHeapLeaveRoom();
        checks.backoffGrows();
        checks.everyMessageGetsThroughTheBrokerConnection();
        checks.everyMessageFitsAnOutbox();
        checks.aWindowFitsAnOutbox();
        checks.devModeStaysLocal();
        checks.tokensHaveOneKindOfKey();
        checks.aPreviousSecretHasASuccessor();
        checks.keysComeFromWhereNobodyCanChangeThem();
        checks.keysAreLoadedBeforeTheyAreTooOld();
        checks.cookiesComeFromKnownPages();
        checks.operatorsAreKnown();
        checks.listenersDiffer();
        checks.proxiesAreNamed();
        checks.tlsIsWhole();
    }

    private void prefetchFitsTheHeap() {
        if (!values.have(Keys.AMQP_PREFETCH, Keys.MESSAGE_MAX_BYTES, Keys.INTAKE_HEAP_PERCENT)) {
            return;
        }
        long prefetch = values.get(Keys.AMQP_PREFETCH);
        long maxBytes = values.get(Keys.MESSAGE_MAX_BYTES);
        int percent = values.get(Keys.INTAKE_HEAP_PERCENT);
        long share = machine.maxHeapBytes() * percent / 100;
        long needed = prefetch * maxBytes;
        if (needed <= share) {
            return;
        }
        // Rounded down to what people write, so that following the advice always helps.
        long fittingBytes = share / prefetch >= 1024 ? share / prefetch / 1024 * 1024 : share / prefetch;
        // Some collectors count a little of -Xmx (one survivor space) as not usable, hence the twentieth on top.
        long heapMiB = (mebibytes(needed * 105 / percent) / 64 + 1) * 64;
        problems.add(
                Keys.AMQP_PREFETCH.fullName(),
                values.origin(Keys.AMQP_PREFETCH),
                String.format(
                        Locale.ROOT,
                        "%d messages of up to %s (%s) can take %d MiB, but %d%% (%s) of the heap of %d MiB is only"
                                + " %d MiB; lower %s to %d, or %s to %s, or give Java a heap of %d MiB (-Xmx%dm)",
                        prefetch,
                        Units.show(maxBytes),
                        Keys.MESSAGE_MAX_BYTES.fullName(),
                        mebibytes(needed),
                        percent,
                        Keys.INTAKE_HEAP_PERCENT.fullName(),
                        mebibytes(machine.maxHeapBytes()),
                        mebibytes(share),
                        Keys.AMQP_PREFETCH.fullName(),
                        Math.max(1, share / maxBytes),
                        Keys.MESSAGE_MAX_BYTES.fullName(),
                        Units.show(fittingBytes),
                        heapMiB,
                        heapMiB));
    }

    private static long mebibytes(long bytes) {
        return bytes >> 20;
    }

    private void sharesOfTheHeapLeaveRoom() {
        if (values.have(Keys.INTAKE_HEAP_PERCENT, Keys.OUTBOX_HEAP_PERCENT)) {
            int sum = values.get(Keys.INTAKE_HEAP_PERCENT) + values.get(Keys.OUTBOX_HEAP_PERCENT);
            if (sum > MOST_PERCENT_OF_HEAP) {
                problem(
                        Keys.OUTBOX_HEAP_PERCENT,
                        "together with %s it takes %d%% of the heap; allowed: at most %d%%",
                        Keys.INTAKE_HEAP_PERCENT.fullName(),
                        sum,
                        MOST_PERCENT_OF_HEAP);
            }
        }
    }

    private void backoffGrows() {
        if (values.have(Keys.AMQP_BACKOFF_INITIAL, Keys.AMQP_BACKOFF_MAX)
                && values.get(Keys.AMQP_BACKOFF_MAX).compareTo(values.get(Keys.AMQP_BACKOFF_INITIAL)) < 0) {
            atLeast(Keys.AMQP_BACKOFF_MAX, Keys.AMQP_BACKOFF_INITIAL);
        }
    }

    private void everyMessageGetsThroughTheBrokerConnection() {
        if (values.have(Keys.AMQP_MAX_INBOUND_BYTES, Keys.MESSAGE_MAX_BYTES)
                && values.get(Keys.AMQP_MAX_INBOUND_BYTES) < values.get(Keys.MESSAGE_MAX_BYTES)) {
            atLeast(Keys.AMQP_MAX_INBOUND_BYTES, Keys.MESSAGE_MAX_BYTES);
        }
    }

    private void everyMessageFitsAnOutbox() {
        // Twice, because a frame is a little larger than its message and another one may be on its way.
        if (values.have(Keys.OUTBOX_MAX_BYTES, Keys.MESSAGE_MAX_BYTES)
                && values.get(Keys.OUTBOX_MAX_BYTES) < 2L * values.get(Keys.MESSAGE_MAX_BYTES)) {
            problem(
                    Keys.OUTBOX_MAX_BYTES,
                    "%s is too small for a message and the next one; allowed: at least twice %s, which is %s",
                    shown(Keys.OUTBOX_MAX_BYTES),
                    Keys.MESSAGE_MAX_BYTES.fullName(),
                    shown(Keys.MESSAGE_MAX_BYTES));
        }
    }

    /** Otherwise one reader's window alone would overflow its outbox and evict it. */
    private void aWindowFitsAnOutbox() {
        if (values.have(Keys.OUTBOX_MAX_BYTES, Keys.LANE_WINDOW_BYTES)
                && values.get(Keys.OUTBOX_MAX_BYTES) < values.get(Keys.LANE_WINDOW_BYTES)) {
            atLeast(Keys.OUTBOX_MAX_BYTES, Keys.LANE_WINDOW_BYTES);
        }
        if (values.have(Keys.OUTBOX_MAX_FRAMES, Keys.LANE_WINDOW_MESSAGES)
                && values.get(Keys.OUTBOX_MAX_FRAMES) < values.get(Keys.LANE_WINDOW_MESSAGES)) {
            atLeast(Keys.OUTBOX_MAX_FRAMES, Keys.LANE_WINDOW_MESSAGES);
        }
    }

    private void devModeStaysLocal() {
        if (values.have(Keys.AUTH_MODE, Keys.AUTH_DEV_ALLOW_REMOTE, Keys.SOCKET_HOST)
                && values.getOrNull(Keys.AUTH_MODE) == AuthConfig.Mode.DEV
                && !values.get(Keys.AUTH_DEV_ALLOW_REMOTE)
                && !ValueType.isLoopback(values.get(Keys.SOCKET_HOST))) {
            problem(
                    Keys.AUTH_MODE,
                    "in dev mode anyone can be any user, and %s %s can be reached from other machines; listen on"
                            + " 127.0.0.1, or set %s=true if that is what you want",
                    Keys.SOCKET_HOST.fullName(),
                    Units.quote(shown(Keys.SOCKET_HOST)),
                    Keys.AUTH_DEV_ALLOW_REMOTE.fullName());
        }
    }

    private void tokensHaveOneKindOfKey() {
        if (!values.have(Keys.AUTH_MODE, Keys.AUTH_SECRET, Keys.AUTH_PUBLIC_KEY, Keys.AUTH_JWKS_URL)
                || values.getOrNull(Keys.AUTH_MODE) != AuthConfig.Mode.TOKEN) {
            return;
        }
        long kinds = Stream.of(Keys.AUTH_SECRET, Keys.AUTH_PUBLIC_KEY, Keys.AUTH_JWKS_URL)
                .filter(key -> values.getOrNull(key) != null)
                .count();
        if (kinds != 1) {
            problem(
                    Keys.AUTH_MODE,
                    "tokens are checked with %s; set one of %s, %s and %s",
                    kinds == 0 ? "a key, and none is set" : "one kind of key, and several are set",
                    Keys.AUTH_SECRET.fullName(),
                    Keys.AUTH_PUBLIC_KEY.fullName(),
                    Keys.AUTH_JWKS_URL.fullName());
        }
    }

    private void aPreviousSecretHasASuccessor() {
        if (!values.have(Keys.AUTH_SECRET, Keys.AUTH_SECRET_PREVIOUS)
                || values.getOrNull(Keys.AUTH_SECRET_PREVIOUS) == null) {
            return;
        }
        String secret = values.getOrNull(Keys.AUTH_SECRET);
        if (secret == null) {
            problem(Keys.AUTH_SECRET_PREVIOUS, "it is of no use without %s", Keys.AUTH_SECRET.fullName());
        } else if (secret.equals(values.get(Keys.AUTH_SECRET_PREVIOUS))) {
            problem(
                    Keys.AUTH_SECRET_PREVIOUS,
                    "it is the same as %s, so nothing changes; one of the two was meant to be another",
                    Keys.AUTH_SECRET.fullName());
        }
    }

    private void keysComeFromWhereNobodyCanChangeThem() {
        if (!values.have(Keys.AUTH_JWKS_URL, Keys.AUTH_JWKS_CA_FILE, Keys.AUTH_JWKS_ALLOW_HTTP)) {
            return;
        }
        URI url = values.getOrNull(Keys.AUTH_JWKS_URL);
        if (url == null) {
            if (values.getOrNull(Keys.AUTH_JWKS_CA_FILE) != null) {
                problem(Keys.AUTH_JWKS_CA_FILE, "it is of no use without %s", Keys.AUTH_JWKS_URL.fullName());
            }
            return;
        }
        if (url.getScheme().equals("https")) {
            return;
        }
        if (values.getOrNull(Keys.AUTH_JWKS_CA_FILE) != null) {
            problem(Keys.AUTH_JWKS_CA_FILE, "it is of no use with an http:// address; use https://");
        }
        if (!values.get(Keys.AUTH_JWKS_ALLOW_HTTP) && !ValueType.isLoopback(url.getHost())) {
            problem(
                    Keys.AUTH_JWKS_URL,
                    "over http:// anybody between here and %s can change the keys and be any user; use https://, or set"
                            + " %s=true if that is what you want",
                    Units.quote(url.getHost()),
                    Keys.AUTH_JWKS_ALLOW_HTTP.fullName());
        }
    }

    private void keysAreLoadedBeforeTheyAreTooOld() {
        if (!values.have(Keys.AUTH_JWKS_REFRESH, Keys.AUTH_JWKS_LEAST_INTERVAL, Keys.AUTH_JWKS_MAX_AGE)) {
            return;
        }
        if (values.get(Keys.AUTH_JWKS_REFRESH).compareTo(values.get(Keys.AUTH_JWKS_LEAST_INTERVAL)) < 0) {
            atLeast(Keys.AUTH_JWKS_REFRESH, Keys.AUTH_JWKS_LEAST_INTERVAL);
        }
        if (values.get(Keys.AUTH_JWKS_MAX_AGE).compareTo(values.get(Keys.AUTH_JWKS_REFRESH)) < 0) {
            atLeast(Keys.AUTH_JWKS_MAX_AGE, Keys.AUTH_JWKS_REFRESH);
        }
    }

    /** Any page could use the cookie of its visitor. */
    private void cookiesComeFromKnownPages() {
        if (values.have(Keys.AUTH_COOKIE, Keys.AUTH_ORIGINS)
                && values.getOrNull(Keys.AUTH_COOKIE) != null
                && values.getOrNull(Keys.AUTH_ORIGINS) != null
                && values.get(Keys.AUTH_ORIGINS).contains("*")) {
            problem(
                    Keys.AUTH_ORIGINS,
                    "with %s any page in the world could connect as its visitor; name the origins instead of *",
                    Keys.AUTH_COOKIE.fullName());
        }
    }

    private void operatorsAreKnown() {
        if (values.have(Keys.ADMIN_HOST, Keys.ADMIN_TOKEN, Keys.ADMIN_TLS_CLIENT_CA_FILE)
                && values.getOrNull(Keys.ADMIN_TOKEN) == null
                && values.getOrNull(Keys.ADMIN_TLS_CLIENT_CA_FILE) == null
                && !ValueType.isLoopback(values.get(Keys.ADMIN_HOST))) {
            problem(
                    Keys.ADMIN_HOST,
                    "%s can be reached from other machines, and whoever reaches it could do everything; set %s (make one"
                            + " with: openssl rand -base64 48) or %s, or listen on 127.0.0.1",
                    Units.quote(shown(Keys.ADMIN_HOST)),
                    Keys.ADMIN_TOKEN.fullName(),
                    Keys.ADMIN_TLS_CLIENT_CA_FILE.fullName());
        }
    }

    private void listenersDiffer() {
        if (values.have(Keys.SOCKET_HOST, Keys.SOCKET_PORT, Keys.ADMIN_HOST, Keys.ADMIN_PORT)
                && values.get(Keys.ADMIN_PORT) != 0
                && values.get(Keys.ADMIN_PORT).equals(values.get(Keys.SOCKET_PORT))
                && values.get(Keys.ADMIN_HOST).equals(values.get(Keys.SOCKET_HOST))) {
            problem(
                    Keys.ADMIN_PORT,
                    "%s is the port of the public listener (%s) too; the two must differ",
                    shown(Keys.ADMIN_PORT),
                    Keys.SOCKET_PORT.fullName());
        }
    }

    private void proxiesAreNamed() {
        if (values.have(Keys.SOCKET_PROXY_PROTOCOL, Keys.SOCKET_TRUSTED_PROXIES)
                && values.get(Keys.SOCKET_PROXY_PROTOCOL)
                && values.get(Keys.SOCKET_TRUSTED_PROXIES).isEmpty()) {
            problem(
                    Keys.SOCKET_PROXY_PROTOCOL,
                    "no connection can have such a header as long as %s names no network",
                    Keys.SOCKET_TRUSTED_PROXIES.fullName());
        }
    }

    private void tlsIsWhole() {
        for (TlsKeys keys : TlsKeys.ALL) {
            keys.check(values, problems);
        }
        if (values.have(Keys.ADMIN_TLS_CLIENT_CA_FILE)
                && TlsKeys.ADMIN.known(values)
                && values.getOrNull(Keys.ADMIN_TLS_CLIENT_CA_FILE) != null
                && TlsKeys.ADMIN.read(values) == null) {
            problem(
                    Keys.ADMIN_TLS_CLIENT_CA_FILE,
                    "nobody can show a certificate to a listener without TLS; set %s and %s too",
                    Keys.ADMIN_TLS_CERTIFICATE_FILE.fullName(),
                    Keys.ADMIN_TLS_KEY_FILE.fullName());
        }
    }

    private void atLeast(Key<?> key, Key<?> least) {
        problem(key, "%s is too small; allowed: at least %s, which is %s", shown(key), least.fullName(), shown(least));
    }

    private <T> String shown(Key<T> key) {
        return key.type().shower().apply(values.get(key));
    }

    private void problem(Key<?> key, String format, Object... parts) {
        problems.add(key.fullName(), values.origin(key), String.format(Locale.ROOT, format, parts));
    }
}
