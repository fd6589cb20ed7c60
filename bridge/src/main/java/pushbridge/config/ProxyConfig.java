package pushbridge.config;

import java.util.List;

/**
 * What stands between clients and the public listener.
 *
 * @param trusted the networks whose word on a client's address counts; empty when clients connect directly
 * @param header the one header believed; a proxy sets one of these and hands on the others as the client sent them
 * @param protocol whether connections from these networks begin with a PROXY protocol header
 */
public record ProxyConfig(List<Network> trusted, Header header, boolean protocol) {

    /** The headers in which proxies tell a client's address. */
    public enum Header {
        /** What most proxies append to. */
        X_FORWARDED_FOR,
        /** RFC 7239. */
        FORWARDED,
        /** One address, nginx's habit. */
        X_REAL_IP;

        /** As {@code HandshakeGate} has header names. */
        public String lowerCaseName() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }

    public ProxyConfig {
        trusted = List.copyOf(trusted);
    }
}
