package pushbridge.letters;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;

/** Points in time for people, from the text that JSON has for them. */
public final class Times {

    private Times() {}

    /** Without fractions of a second: {@code 2026-11-28T03:00:00Z}. */
    public static String seconds(String instant) {
        int dot = instant.indexOf('.');
        return dot < 0 ? instant : instant.substring(0, dot) + "Z";
    }

    /** With how long ago that was, or how long it is until then: {@code 2026-11-28T03:00:00Z (5 min ago)}. */
    public static String ago(String instant, Instant now) {
        Duration ago;
        try {
            ago = Duration.between(Instant.parse(instant), now);
        } catch (DateTimeParseException e) {
            return instant;
        }
        return ago.isNegative()
                ? "%s (in %s)".formatted(seconds(instant), words(ago.negated()))
                : "%s (%s ago)".formatted(seconds(instant), words(ago));
    }

    private static String words(Duration duration) {
        long minutes = duration.toMinutes();
        if (minutes < 1) {
            return duration.toSeconds() + " s";
        }
        if (minutes < 120) {
            return minutes + " min";
        }
        return minutes < 48 * 60 ? duration.toHours() + " h" : duration.toDays() + " days";
    }
}
