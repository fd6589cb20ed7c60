package pushbridge.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How durations and sizes are written, the same in every source and on the command line. */
public final class Units {
    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("([0-9]+) ?([A-Za-z]*)");
    private static final int LONGEST_SHOWN = 100;

    private Units() {}

    /**
     * Reads a duration such as {@code 500ms}, {@code 5s}, {@code 10m} or {@code 24h}.
     *
     * @throws IllegalArgumentException with a sentence that names the text
     */
    public static Duration duration(String text) {
        Matcher matcher = NUMBER_AND_UNIT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(quote(text) + " is no duration; write it like 500ms, 5s, 10m or 24h");
        }
        BigInteger number = new BigInteger(matcher.group(1));
        long milliseconds = switch (matcher.group(2)) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m" -> 60_000;
            case "h" -> 3_600_000;
            case "" ->
                throw new IllegalArgumentException(quote(text) + " has no unit; write it like 500ms, 5s, 10m or 24h");
            default -> throw new IllegalArgumentException(quote(text) + " has an unknown unit; use ms, s, m or h");
        };
        return Duration.ofMillis(exactly(text, number.multiply(BigInteger.valueOf(milliseconds))));
    }

    /**
     * Reads a size in bytes such as {@code 1024}, {@code 64KiB}, {@code 1MiB} or {@code 2GiB}.
     *
     * @throws IllegalArgumentException with a sentence that names the text
     */
    public static long size(String text) {
        Matcher matcher = NUMBER_AND_UNIT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(quote(text) + " is no size; write it like 1024, 64KiB or 1MiB");
        }
        BigInteger number = new BigInteger(matcher.group(1));
        String unit = matcher.group(2);
        int shift = switch (unit) {
            case "", "B" -> 0;
            case "KiB" -> 10;
            case "MiB" -> 20;
            case "GiB" -> 30;
            // "KB" means 1000 to some and 1024 to others, so nobody's guess is taken.
            default ->
                throw new IllegalArgumentException(
                        quote(text) + " has an unknown unit; use KiB, MiB, GiB or none for bytes");
        };
        return exactly(text, number.shiftLeft(shift));
    }

    private static long exactly(String text, BigInteger number) {
        if (number.bitLength() > 62) {
            throw new IllegalArgumentException(quote(text) + " is too large a number");
        }
        return number.longValue();
    }

    /** The shortest way to write a duration of whole milliseconds: {@code 90s}, not {@code 90000ms}. */
    public static String show(Duration duration) {
        long milliseconds = duration.toMillis();
        if (milliseconds == 0) {
            return "0s";
        }
        if (milliseconds % 3_600_000 == 0) {
            return milliseconds / 3_600_000 + "h";
        }
        if (milliseconds % 60_000 == 0) {
            return milliseconds / 60_000 + "m";
        }
        return milliseconds % 1_000 == 0 ? milliseconds / 1_000 + "s" : milliseconds + "ms";
    }

    /** The shortest exact way to write a size: {@code 64KiB}, not {@code 65536}. */
    public static String show(long bytes) {
        if (bytes != 0) {
            if (bytes % (1L << 30) == 0) {
                return (bytes >> 30) + "GiB";
            }
            if (bytes % (1L << 20) == 0) {
                return (bytes >> 20) + "MiB";
            }
            if (bytes % (1L << 10) == 0) {
                return (bytes >> 10) + "KiB";
            }
        }
        return Long.toString(bytes);
    }

    /** A text in quotes, cut and on one line, so that it can stand in a sentence. */
    static String quote(String text) {
        String shown = text.length() > LONGEST_SHOWN ? text.substring(0, LONGEST_SHOWN) + "..." : text;
        return '"' + shown.replaceAll("\\p{Cntrl}", "?") + '"';
    }
}
