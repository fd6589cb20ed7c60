package pushbridge.doctor;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What only RabbitMQ's management plugin tells: policies, and the time. Asked by GET alone, which changes nothing. */
final class Management {

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A look a second for as long as a letter is kept comes nowhere near; what is lower may be reached by looking. */
    private static final long SMALL_LIMIT = 10_000;

    /** Further apart than a slow answer explains. */
    private static final Duration SKEW = Duration.ofSeconds(5);

    private final URI base;
    private final String credentials;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();
    private final List<Check> checks = new ArrayList<>();

    /**
     * @param address of the plugin; its user information is preferred
     * @param userInfo user and password otherwise
     */
    Management(URI address, String userInfo) {
        this.base = URI.create(
                address.getScheme() + "://" + address.getHost() + (address.getPort() < 0 ? "" : ":" + address.getPort())
                        + address.getRawPath().replaceAll("/+$", ""));
        this.credentials = address.getUserInfo() == null ? userInfo : address.getUserInfo();
    }

    List<Check> look(String vhost, List<String> queues) throws InterruptedException {
        boolean timeTold = false;
        List<String> limits = new ArrayList<>();
        int seen = 0;
        for (String queue : queues) {
            HttpResponse<String> response;
            JsonNode found;
            try {
                response = get("/api/queues/" + encode(vhost) + "/" + encode(queue));
                if (response.statusCode() == 404) {
                    continue;
                }
                if (response.statusCode() != 200) {
                    unknown("the management plugin at " + base + " answers " + response.statusCode());
                    return checks;
                }
                found = JsonMapper.shared().readTree(response.body());
            } catch (IOException | JacksonException e) {
                unknown("the management plugin at " + base + " gives no answer that can be read (" + e.getMessage()
                        + ")");
                return checks;
            }
            seen++;
            JsonNode limit = found.path("effective_policy_definition").path("delivery-limit");
            if (limit.isNumber() && limit.asLong() < SMALL_LIMIT) {
                String policy = found.path("policy").asString("");
                limits.add("%s has delivery-limit %d by the policy %s"
                        .formatted(
                                queue,
                                limit.asLong(),
                                policy.isEmpty() ? found.path("operator_policy").asString("?") : policy));
            }
            if (!timeTold) {
                timeTold = clock(response);
            }
        }
        if (!limits.isEmpty()) {
            checks.add(Check.fail(
                    "policies",
                    String.join("; ", limits),
                    "Each look at dead letters, and each restart, counts as a delivery: RabbitMQ would throw messages away that"
                            + " are only looked at.",
                    "Take delivery-limit out of the policy ('rabbitmqctl list_policies -p %s'), or keep it from these queues."
                            .formatted(vhost)));
        } else if (seen > 0) {
            checks.add(Check.ok("policies", "none sets a small delivery-limit for " + String.join(", ", queues)));
        } else {
            unknown("no queue is there yet");
        }
        return checks;
    }

    private void unknown(String what) {
        checks.add(Check.unknown(
                "policies",
                what,
                "See to it, or look yourself: rabbitmqctl list_policies must show no small delivery-limit."));
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create(base + path))
                        .timeout(PATIENCE)
                        .header(
                                "Authorization",
                                "Basic "
                                        + Base64.getEncoder()
                                                .encodeToString(credentials.getBytes(StandardCharsets.UTF_8)))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private boolean clock(HttpResponse<String> response) {
        Instant here = Instant.now();
        try {
            Instant there = ZonedDateTime.parse(
                            response.headers().firstValue("Date").orElse(""), DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration skew = Duration.between(there, here).abs();
            String what = "this machine's and RabbitMQ's differ by %d s or less".formatted(skew.toSeconds() + 1);
            checks.add(
                    skew.compareTo(SKEW) <= 0
                            ? Check.ok("clock", what)
                            : Check.warn(
                                    "clock",
                                    "this machine's is %s, RabbitMQ's %s".formatted(here, there),
                                    "What publishers stamp with the right time expires early or late by the difference, and"
                                            + " tokens do.",
                                    "Set both by NTP."));
            return true;
        } catch (DateTimeParseException e) {
            return false;
        }
    }
}
