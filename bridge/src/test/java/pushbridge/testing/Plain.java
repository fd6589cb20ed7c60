package pushbridge.testing;

import java.time.Duration;
import java.util.List;
import pushbridge.config.AmqpTlsConfig;
import pushbridge.config.LettersConfig;
import pushbridge.config.ProxyConfig;
import pushbridge.config.SocketLimits;

/** The parts of a configuration for tests that are about something else: limits out of reach, no proxy, no TLS. */
public final class Plain {

    public static final SocketLimits LIMITS = new SocketLimits(1_000_000, 1_000_000, 1_000_000, 1_000_000);
    public static final ProxyConfig PROXIES = new ProxyConfig(List.of(), ProxyConfig.Header.X_FORWARDED_FOR, false);
    public static final AmqpTlsConfig AMQP_TLS = new AmqpTlsConfig(true, null, null);

    /** Nothing goes back while a test runs. */
    public static final LettersConfig LETTERS =
            new LettersConfig(100_000, 100 << 20, Duration.ofMinutes(10), Duration.ofMinutes(20));

    private Plain() {}
}
