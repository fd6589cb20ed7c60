package pushbridge.config;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are checked.
 *
 * @param keys what their signatures are checked with
 * @param issuer what {@code iss} must be; null for anything
 * @param audience what {@code aud} must contain; null when tokens must have none
 * @param clockSkew by how much clocks may differ
 * @param requireExpiry whether a token without {@code exp} is refused
 * @param maxBytes the longest token
 * @param channelsClaim the claim that lists the patterns of channels
 * @param cookie the name of a cookie that may hold the token; null for none
 * @param inQuery whether the query may hold it
 * @param anonymous whether somebody without a token may connect
 * @param anonymousChannels the patterns of channels for them
 * @param renewalInterval the least time between two renewals on one connection
 */
public record TokenConfig(
        TokenKeys keys,
        @Nullable String issuer,
        @Nullable String audience,
        Duration clockSkew,
        boolean requireExpiry,
        int maxBytes,
        String channelsClaim,
        @Nullable String cookie,
        boolean inQuery,
        boolean anonymous,
        List<String> anonymousChannels,
        Duration renewalInterval) {}
