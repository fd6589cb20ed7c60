package pushbridge.socket;

import org.jspecify.annotations.Nullable;

/**
 * An open WebSocket as operators see it, at one moment.
 *
 * @param id what {@code connection.<id>} addresses
 * @param user who it is; null for an anonymous client
 * @param address of the client, as far as it is known through proxies
 * @param protocol {@code pushbridge.v1}, or {@code plain} for a connection without acknowledgements
 * @param openedMillis when it asked to become a WebSocket, in milliseconds since 1970
 * @param expiresAt when its credentials expire, in seconds since 1970; {@link pushbridge.delivery.Newcomer#NEVER} when
 *     they do not
 * @param written envelopes that have left for the kernel
 * @param pendingBytes bytes that wait for the client
 * @param blocked whether the client does not read what was written last
 */
public record OpenConnection(
        String id,
        @Nullable String user,
        String address,
        String protocol,
        long openedMillis,
        long expiresAt,
        long written,
        long pendingBytes,
        boolean blocked) {}
