package pushbridge.config;

/**
 * What one client, and all of them in a second, may do at most. An address is one of IPv4, or a network of IPv6 with 64
 * bits in common, since that is what one customer is given. Loopback addresses have no limit of their own: behind them is
 * a proxy of this machine that nobody has named yet, or a developer.
 *
 * @param maxConnectionsPerAddress connections of one address, handshakes included; more are answered 429
 * @param maxHandshakesPerSecond handshakes a second in all; more are answered 503
 * @param maxHandshakesPerSecondPerAddress handshakes a second of one address, ten times as many in a burst; more are
 *     answered 429
 * @param maxFramesPerSecond frames a second of one client, four times as many in a burst, not counting the pongs and
 *     acknowledgements that confirm something; more close the connection
 */
public record SocketLimits(
        int maxConnectionsPerAddress,
        int maxHandshakesPerSecond,
        int maxHandshakesPerSecondPerAddress,
        int maxFramesPerSecond) {}
