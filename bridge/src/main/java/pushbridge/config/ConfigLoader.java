package pushbridge.config;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a configuration from its sources, checks it and says everything that is wrong with it. */
public final class ConfigLoader {
    private final Machine machine;

    /** Reads with the defaults and limits that depend on this machine. */
    public ConfigLoader(Machine machine) {
        this.machine = machine;
    }

    /**
     * Reads what a running bridge needs.
     *
     * @throws ConfigException with all problems
     */
    public EffectiveConfig load(ConfigSources sources) throws ConfigException {
        Problems problems = new Problems();
        List<Setting> settings = new ArrayList<>();
        boolean complete = read(sources, settings, problems);
        List<ShownSetting> shown = new ArrayList<>();
        Values values = values(settings, shown, problems);
        // With a part of the settings unknown, what is missing or does not fit together may be no problem at all.
        if (complete) {
            requireWhatHasNoDefault(values, problems);
            CrossChecks.check(values, machine, problems);
        }
        problems.throwIfAny();
        return new EffectiveConfig(
                bridge(values), new LogConfig(values.get(Keys.LOG_FORMAT), values.get(Keys.LOG_LEVEL)), shown, raw(values), () -> load(sources));
    }

    /**
     * Reads what only the way to RabbitMQ needs. Wrong and unknown keys are problems here too, but nothing is required
     * and nothing is checked against the heap.
     *
     * @throws ConfigException with all problems
     */
    public AmqpConfig loadAmqp(ConfigSources sources) throws ConfigException {
        return amqp(valuesOf(sources));
    }

    /**
     * The same for what the held log needs, which tells how its stream is declared.
     *
     * @throws ConfigException with all problems
     */
    public HoldConfig loadHold(ConfigSources sources) throws ConfigException {
        return hold(valuesOf(sources));
    }

    /**
     * The same for what tokens are made and checked with, whatever the mode is.
     *
     * @throws ConfigException with all problems
     */
    public TokenConfig loadTokens(ConfigSources sources) throws ConfigException {
        return tokens(valuesOf(sources));
    }

    /**
     * What a command for dead letters needs: the way to RabbitMQ, and what a bridge takes.
     *
     * @throws ConfigException with all problems
     */
    public DeadLetterSettings loadDeadLetters(ConfigSources sources) throws ConfigException {
        Values values = valuesOf(sources);
        return new DeadLetterSettings(amqp(values), letters(values), message(values));
    }

    /**
     * The same for what the listener for operators needs, so that a command finds the running bridge.
     *
     * @throws ConfigException with all problems
     */
    public AdminConfig loadAdmin(ConfigSources sources) throws ConfigException {
        return admin(valuesOf(sources));
    }

    /**
     * Where the secrets stand that these sources set. Wrong and unknown keys are passed over.
     */
    public static SecretPlaces secretPlaces(ConfigSources sources) {
        Problems passedOver = new Problems();
        List<Setting> settings = new ArrayList<>();
        read(sources, settings, passedOver);
        Set<Path> files = new LinkedHashSet<>();
        Set<String> onCommandLine = new LinkedHashSet<>();
        for (Setting setting : settings) {
            try {
                if (setting.isTwin() || TlsKeys.holdsAPrivateKey(setting.key())) {
                    files.add(Path.of(setting.text()));
                } else if (setting.key().secret() && setting.origin().kind() == Origin.Kind.COMMAND_LINE) {
                    onCommandLine.add(setting.name());
                } else if (setting.key().secret() && setting.origin().kind() == Origin.Kind.FILE) {
                    files.add(Objects.requireNonNull(sources.file(), "what comes from a file has one"));
                }
            } catch (InvalidPathException e) {
                // reading the configuration says so
            }
        }
        return new SecretPlaces(List.copyOf(files), List.copyOf(onCommandLine));
    }

    private Values valuesOf(ConfigSources sources) throws ConfigException {
        Problems problems = new Problems();
        List<Setting> settings = new ArrayList<>();
        read(sources, settings, problems);
        Values values = values(settings, new ArrayList<>(), problems);
        problems.throwIfAny();
        return values;
    }

    /** Reads the settings of all sources, weakest first; false when not all of the file could be read. */
    private static boolean read(ConfigSources sources, List<Setting> settings, Problems problems) {
        KeyNames names = KeyNames.dotted();
        boolean complete = true;
        if (sources.file() != null) {
            List<Setting> fromFile = YamlSource.read(sources.file(), names, problems);
            if (fromFile == null) {
                complete = false;
            } else {
                settings.addAll(fromFile);
            }
        }
        settings.addAll(EnvironmentSource.read(sources.environment(), problems));
        settings.addAll(CommandLineSource.read(sources.settings(), names, problems));
        return complete;
    }

    private static Map<String, Object> raw(Values values) {
        Map<String, Object> raw = new HashMap<>();
        for (Key<?> key : Keys.all()) {
            Object value = values.getOrNull(key);
            if (value != null) {
                raw.put(key.fullName(), value);
            }
        }
        return raw;
    }

    private static void requireWhatHasNoDefault(Values values, Problems problems) {
        for (Key<?> key : Keys.all()) {
            if (key.fallback().required() && values.have(key) && values.getOrNull(key) == null) {
                problems.add(key.fullName() + " (not set): it is required and has no default; allowed: "
                        + key.type().allowed());
            }
        }
    }

    private Values values(List<Setting> settings, List<ShownSetting> shown, Problems problems) {
        Values values = new Values();
        Keys.all().stream()
                .sorted(Comparator.comparing(Key::fullName))
                .forEach(key -> read(key, settings, values, shown, problems));
        return values;
    }

    private <T> void read(
            Key<T> key, List<Setting> settings, Values values, List<ShownSetting> shown, Problems problems) {
        String fallback = key.fallback().text().apply(machine);
        Setting setting = strongest(key, settings, problems);
        if (setting == null) {
            T value = fallback == null ? null : key.type().parser().apply(fallback);
            values.put(key, value, Origin.UNSET);
            shown.add(new ShownSetting(
                    key.fullName(),
                    value == null ? null : key.type().shower().apply(value),
                    Origin.UNSET.text(),
                    true));
            return;
        }
        try {
            T value = key.type().parser().apply(setting.isTwin() ? content(setting.text()) : setting.text());
            values.put(key, value, setting.origin());
            // Values, not what is shown of them: two secrets look the same.
            boolean isDefault =
                    fallback != null && key.type().parser().apply(fallback).equals(value);
            String from = setting.isTwin() ? "a file, named by " : "";
            shown.add(new ShownSetting(
                    key.fullName(),
                    key.type().shower().apply(value),
                    from + setting.origin().text(),
                    isDefault));
        } catch (InvalidPathException e) {
            problems.add(setting.name(), setting.origin(), "this cannot be the name of a file");
        } catch (IllegalArgumentException e) {
            String allowed = setting.isTwin() ? "" : "; allowed: " + key.type().allowed();
            problems.add(setting.name(), setting.origin(), e.getMessage() + allowed);
        }
    }

    /** The setting of the strongest source that has one; null when none has. */
    private static @Nullable Setting strongest(Key<?> key, List<Setting> settings, Problems problems) {
        Setting strongest = null;
        for (Setting setting : settings) {
            if (!setting.key().equals(key)) {
                continue;
            }
            // In different sources the stronger one wins; in one source nobody can tell which was meant.
            if (strongest != null
                    && strongest.origin().kind() == setting.origin().kind()
                    && strongest.isTwin() != setting.isTwin()) {
                problems.add(
                        setting.name(),
                        setting.origin(),
                        "it is set together with " + strongest.name() + "; set only one of the two");
            }
            strongest = setting;
        }
        return strongest;
    }

    /** What stands in a file that holds a secret. */
    private static String content(String name) {
        // Somebody may have put the secret itself where the name of its file belongs.
        String shown = name.contains("@") || name.contains("://") ? "the file" : Units.quote(name);
        try {
            String content = Files.readString(Path.of(name)).strip();
            if (content.isEmpty()) {
                throw new IllegalArgumentException(shown + " is empty");
            }
            return content;
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(shown + " does not exist", e);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(shown + " is not valid UTF-8", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    shown + " cannot be read (" + e.getClass().getSimpleName() + ")", e);
        }
    }

    private static BridgeConfig bridge(Values v) {
        return new BridgeConfig(
                amqp(v),
                new IntakeConfig(
                        v.get(Keys.INTAKE_START_DELAY),
                        v.get(Keys.STANDBY_PATIENCE),
                        v.get(Keys.INTAKE_HEAP_PERCENT),
                        v.get(Keys.POISON_AFTER)),
                message(v),
                new DeliveryConfig(
                        v.get(Keys.LANE_WINDOW_MESSAGES),
                        v.get(Keys.LANE_WINDOW_BYTES),
                        v.get(Keys.HOLD_AFTER),
                        v.get(Keys.FANOUT_PATIENCE),
                        v.get(Keys.DELIVERY_MAX_REQUESTS),
                        v.get(Keys.DELIVERY_MAX_CHANNELS),
                        v.get(Keys.DELIVERY_REMEMBERED_CONNECTIONS)),
                hold(v),
                new OutboxConfig(
                        v.get(Keys.OUTBOX_MAX_FRAMES), v.get(Keys.OUTBOX_MAX_BYTES), v.get(Keys.OUTBOX_HEAP_PERCENT)),
                new SocketConfig(
                        v.get(Keys.SOCKET_HOST),
                        v.get(Keys.SOCKET_PORT),
                        v.get(Keys.SOCKET_PATH),
                        v.get(Keys.PLAIN_CONFIRM),
                        v.get(Keys.SOCKET_MAX_CONNECTIONS),
                        v.get(Keys.SOCKET_MAX_CONNECTIONS_PER_USER),
                        v.get(Keys.SOCKET_HANDSHAKE_TIMEOUT),
                        v.get(Keys.SOCKET_MAX_HEADER_BYTES),
                        v.get(Keys.SOCKET_MAX_FRAME_BYTES),
                        v.get(Keys.SOCKET_PING_INTERVAL),
                        v.get(Keys.SOCKET_PONG_TIMEOUT),
                        v.get(Keys.ACK_TIMEOUT),
                        v.get(Keys.SOCKET_STALL_AFTER),
                        v.get(Keys.SOCKET_SEND_BUFFER_BYTES),
                        v.get(Keys.SOCKET_COMPRESS_ABOVE),
                        v.get(Keys.SOCKET_SELECTORS),
                        new SocketLimits(
                                v.get(Keys.SOCKET_MAX_CONNECTIONS_PER_ADDRESS),
                                v.get(Keys.SOCKET_MAX_HANDSHAKES_PER_SECOND),
                                v.get(Keys.SOCKET_MAX_HANDSHAKES_PER_SECOND_PER_ADDRESS),
                                v.get(Keys.SOCKET_MAX_FRAMES_PER_SECOND)),
                        new ProxyConfig(
                                v.get(Keys.SOCKET_TRUSTED_PROXIES),
                                v.get(Keys.SOCKET_FORWARDED_HEADER),
                                v.get(Keys.SOCKET_PROXY_PROTOCOL)),
                        TlsKeys.SOCKET.read(v)),
                auth(v),
                admin(v),
                letters(v),
                new ReceiptsConfig(v.get(Keys.RECEIPTS_MAX_WAITING)),
                new ShutdownConfig(v.get(Keys.SHUTDOWN_GRACE), v.get(Keys.SHUTDOWN_SPREAD)));
    }

    private static MessageConfig message(Values v) {
        return new MessageConfig(
                v.get(Keys.MESSAGE_MAX_BYTES), v.get(Keys.MESSAGE_MAX_DEPTH), v.getOrNull(Keys.MESSAGE_TYPES_DIR));
    }

    private static AuthConfig auth(Values v) {
        AuthConfig.Mode mode = v.get(Keys.AUTH_MODE);
        return new AuthConfig(
                mode,
                v.get(Keys.AUTH_DEV_ALLOW_REMOTE),
                listOf(v, Keys.AUTH_ORIGINS),
                mode == AuthConfig.Mode.TOKEN ? tokens(v) : null);
    }

    private static TokenConfig tokens(Values v) {
        return new TokenConfig(
                new TokenKeys(
                        v.getOrNull(Keys.AUTH_SECRET),
                        v.getOrNull(Keys.AUTH_SECRET_PREVIOUS),
                        v.getOrNull(Keys.AUTH_PUBLIC_KEY),
                        jwks(v)),
                v.getOrNull(Keys.AUTH_ISSUER),
                v.getOrNull(Keys.AUTH_AUDIENCE),
                v.get(Keys.AUTH_CLOCK_SKEW),
                v.get(Keys.AUTH_REQUIRE_EXPIRY),
                v.get(Keys.AUTH_MAX_TOKEN_BYTES),
                v.get(Keys.AUTH_CHANNELS_CLAIM),
                v.getOrNull(Keys.AUTH_COOKIE),
                v.get(Keys.AUTH_QUERY_TOKEN),
                v.get(Keys.AUTH_ANONYMOUS),
                listOf(v, Keys.AUTH_ANONYMOUS_CHANNELS),
                v.get(Keys.AUTH_RENEWAL_INTERVAL));
    }

    private static @Nullable JwksConfig jwks(Values v) {
        URI url = v.getOrNull(Keys.AUTH_JWKS_URL);
        return url == null
                ? null
                : new JwksConfig(
                        url,
                        v.getOrNull(Keys.AUTH_JWKS_CA_FILE),
                        v.get(Keys.AUTH_JWKS_REFRESH),
                        v.get(Keys.AUTH_JWKS_LEAST_INTERVAL),
                        v.get(Keys.AUTH_JWKS_MAX_AGE),
                        v.get(Keys.AUTH_JWKS_TIMEOUT),
                        v.get(Keys.AUTH_JWKS_MAX_BYTES));
    }

    private static List<String> listOf(Values v, Key<List<String>> key) {
        List<String> items = v.getOrNull(key);
        return items == null ? List.of() : items;
    }

    private static HoldConfig hold(Values v) {
        return new HoldConfig(
                v.get(Keys.HOLD_TTL),
                v.get(Keys.HOLD_MAX_MESSAGES),
                v.get(Keys.HOLD_MAX_PER_ADDRESS),
                v.get(Keys.HOLD_MAX_BYTES),
                v.get(Keys.HOLD_CACHE_BYTES),
                v.get(Keys.HOLD_SEGMENT_BYTES));
    }

    private static AdminConfig admin(Values v) {
        return new AdminConfig(
                v.get(Keys.ADMIN_HOST),
                v.get(Keys.ADMIN_PORT),
                v.getOrNull(Keys.ADMIN_TOKEN),
                v.get(Keys.ADMIN_MAX_CONNECTIONS),
                v.get(Keys.ADMIN_MAX_BODY_BYTES),
                TlsKeys.ADMIN.read(v),
                v.getOrNull(Keys.ADMIN_TLS_CLIENT_CA_FILE));
    }

    private static LettersConfig letters(Values v) {
        return new LettersConfig(
                v.get(Keys.LETTERS_MAX_MESSAGES),
                v.get(Keys.LETTERS_MAX_BYTES),
                v.get(Keys.LETTERS_IDLE_CLOSE),
                v.get(Keys.LETTERS_SESSION_MAX));
    }

    private static AmqpConfig amqp(Values v) {
        return new AmqpConfig(
                v.get(Keys.AMQP_URI),
                v.get(Keys.AMQP_PREFIX),
                v.get(Keys.AMQP_PREFETCH),
                v.get(Keys.AMQP_HEARTBEAT),
                v.get(Keys.AMQP_CONNECT_TIMEOUT),
                v.get(Keys.AMQP_CONFIRM_TIMEOUT),
                v.get(Keys.AMQP_BACKOFF_INITIAL),
                v.get(Keys.AMQP_BACKOFF_MAX),
                v.get(Keys.AMQP_MAX_INBOUND_BYTES),
                v.get(Keys.AMQP_DEAD_MAX_MESSAGES),
                v.get(Keys.AMQP_EXPIRED_MAX_MESSAGES),
                v.get(Keys.AMQP_TOKEN_REFRESH),
                new AmqpTlsConfig(
                        v.get(Keys.AMQP_TLS_VERIFY), v.getOrNull(Keys.AMQP_TLS_CA_FILE), TlsKeys.AMQP.read(v)));
    }
}
