package pushbridge.socket;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import pushbridge.auth.ChannelGrants;
import pushbridge.auth.Credentials;
import pushbridge.auth.OriginRule;
import pushbridge.auth.TokenVerifier;
import pushbridge.auth.Verdict;
import pushbridge.config.AuthConfig;
import pushbridge.config.TokenConfig;
import pushbridge.envelope.Address;
import pushbridge.envelope.ClientError;

/**
 * Lets in who has a valid token: in {@code Authorization: Bearer}, as {@code bearer.<token>} beside the subprotocol, in the
 * cookie named by {@code auth.cookie}, or in the query if {@code auth.query-token} says so. A browser adds a cookie by
 * itself, whatever page connects, so with a cookie, and with nothing, the page's origin decides too; a token in the page's
 * hands shows by itself that the page may use it.
 */
public final class TokenGate implements HandshakeGate {

    private static final String BEARER_ELEMENT = "bearer.";

    private static final String HOW = "Send one as Authorization: Bearer, or as the second of two subprotocols:"
            + " new WebSocket(url, ['" + PushEndpoint.V1 + "', '" + BEARER_ELEMENT + "' + token]).";

    private final TokenVerifier verifier;
    private final TokenConfig config;
    private final OriginRule origins;
    private final int maxChannels;

    /** @param maxChannels channels one connection may listen to */
    public TokenGate(TokenVerifier verifier, AuthConfig config, int maxChannels) {
        this.verifier = verifier;
        this.config = Objects.requireNonNull(config.token(), "the mode is not token");
        this.origins = new OriginRule(config.origins());
        this.maxChannels = maxChannels;
    }

    @Override
    public Admission admit(Handshake handshake) {
        Refused shape = bearerNeedsCompany(handshake);
        if (shape != null) {
            return shape;
        }
        Set<String> explicit = explicitTokens(handshake);
        Set<String> cookies = explicit.isEmpty() ? cookies(handshake) : Set.of();
        if (explicit.size() > 1 || cookies.size() > 1) {
            return new Refused(400, "The handshake holds different tokens; send one.");
        }
        Refused foreign = foreignOrigin(handshake, !explicit.isEmpty(), !cookies.isEmpty());
        if (foreign != null) {
            return foreign;
        }
        Credentials credentials;
        if (!explicit.isEmpty() || !cookies.isEmpty()) {
            Verdict verdict = verifier.verify(
                    (explicit.isEmpty() ? cookies : explicit).iterator().next());
            if (verdict instanceof Verdict.Invalid invalid) {
                return new Refused(401, invalid.reason());
            }
            if (verdict instanceof Verdict.Undecided undecided) {
                return new Refused(503, undecided.reason(), undecided.retryAfterSeconds());
            }
            credentials = ((Verdict.Valid) verdict).credentials();
        } else if (config.anonymous()) {
            credentials = new Credentials(null, ChannelGrants.of(config.anonymousChannels()), Credentials.NEVER);
        } else if (handshake.parameter("token") != null && !config.inQuery()) {
            return new Refused(401, "A token in the address is not read: it would end up in logs. " + HOW);
        } else {
            return new Refused(401, "There is no token. " + HOW);
        }
        return withChannels(credentials, handshake);
    }

    /** A browser gives up a connection that agrees on none of the subprotocols it has offered. */
    private static @Nullable Refused bearerNeedsCompany(Handshake handshake) {
        List<String> offered = elements(handshake, "sec-websocket-protocol", ",");
        boolean bearer = offered.stream().anyMatch(element -> element.startsWith(BEARER_ELEMENT));
        if (bearer && !offered.contains(PushEndpoint.V1) && !offered.contains(PushEndpoint.PLAIN)) {
            return new Refused(
                    400,
                    "Offer " + PushEndpoint.V1 + " or " + PushEndpoint.PLAIN
                            + " beside the subprotocol with the token.");
        }
        return null;
    }

    private Set<String> explicitTokens(Handshake handshake) {
        Set<String> tokens = new LinkedHashSet<>();
        for (String value : handshake.headers().getOrDefault("authorization", List.of())) {
            if (value.regionMatches(true, 0, "bearer ", 0, 7)) {
                tokens.add(value.substring(7).trim());
            }
        }
        for (String element : elements(handshake, "sec-websocket-protocol", ",")) {
            if (element.startsWith(BEARER_ELEMENT)) {
                tokens.add(element.substring(BEARER_ELEMENT.length()));
            }
        }
        if (config.inQuery()) {
            tokens.addAll(handshake.query().getOrDefault("token", List.of()));
        }
        return tokens;
    }

    private Set<String> cookies(Handshake handshake) {
        Set<String> tokens = new LinkedHashSet<>();
        if (config.cookie() != null) {
            String start = config.cookie() + "=";
            for (String cookie : elements(handshake, "cookie", ";")) {
                if (cookie.startsWith(start)) {
                    String value = cookie.substring(start.length());
                    boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
                    tokens.add(quoted ? value.substring(1, value.length() - 1) : value);
                }
            }
        }
        return tokens;
    }

    private static List<String> elements(Handshake handshake, String header, String separator) {
        List<String> elements = new ArrayList<>();
        for (String value : handshake.headers().getOrDefault(header, List.of())) {
            Arrays.stream(value.split(separator, -1)).map(String::trim).forEach(elements::add);
        }
        return elements;
    }

    private @Nullable Refused foreignOrigin(Handshake handshake, boolean explicit, boolean cookie) {
        String origin = handshake.header("origin");
        if (origin == null) {
            return cookie
                    ? Refused.foreignOrigin("A token in a cookie needs the Origin header, which every browser sends.")
                    : null;
        }
        boolean allowed = origins.hasList()
                ? origins.isListed(origin)
                : explicit || OriginRule.isSameHost(origin, handshake.host());
        return allowed ? null : Refused.foreignOrigin(OriginRule.refusal(origin, handshake.host()));
    }

    private Admission withChannels(Credentials credentials, Handshake handshake) {
        List<String> granted = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        for (String list : handshake.query().getOrDefault("channels", List.of())) {
            for (String channel : list.split(",", -1)) {
                if (channel.isEmpty() || granted.contains(channel) || refused.contains(channel)) {
                    continue;
                }
                try {
                    Address.parse("channel." + channel);
                } catch (Address.InvalidAddressException e) {
                    return new Refused(400, "Bad channel in the query: " + e.getMessage() + ".");
                }
                (credentials.channels().allow(channel) ? granted : refused).add(channel);
                if (granted.size() + refused.size() > maxChannels) {
                    return new Refused(400, "More than " + maxChannels + " channels in the query.");
                }
            }
        }
        return new Admitted(credentials, List.copyOf(granted), List.copyOf(refused));
    }

    @Override
    public Renewal renew(Credentials current, @Nullable Duration sinceLast, String token) {
        if (sinceLast != null && sinceLast.compareTo(config.renewalInterval()) < 0) {
            return new NotRenewed(
                    ClientError.TRY_LATER,
                    String.format(
                            Locale.ROOT,
                            "A token was sent just before; wait %d s from one to the next.",
                            Math.max(1, config.renewalInterval().toSeconds())));
        }
        Verdict verdict = verifier.verify(token);
        if (verdict instanceof Verdict.Invalid invalid) {
            return new NotRenewed(ClientError.UNAUTHORIZED, invalid.reason());
        }
        if (verdict instanceof Verdict.Undecided undecided) {
            return new NotRenewed(ClientError.TRY_LATER, undecided.reason());
        }
        Credentials fresh = ((Verdict.Valid) verdict).credentials();
        if (!Objects.equals(fresh.user(), current.user())) {
            return new NotRenewed(
                    ClientError.FORBIDDEN, "The token is another user's (sub): open another connection for that one.");
        }
        return new Renewed(fresh);
    }

    @Override
    public boolean isOver(Credentials credentials) {
        return verifier.isOver(credentials.expiresAt());
    }
}
