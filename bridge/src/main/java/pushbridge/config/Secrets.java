package pushbridge.config;

import java.util.regex.Pattern;

/** Takes secrets out of texts that people and log files see. */
public final class Secrets {
    /** Stands where a secret was. */
    public static final String MASK = "***";

    // Up to the last '@' without a space, because a password may hold an '@' that should have been written %40.
    private static final Pattern PASSWORD = Pattern.compile("(://[^:/@\\s]*:)\\S*@");
    private static final Pattern ONLY_USER = Pattern.compile("(://)[^:/@\\s]+@");

    private Secrets() {}

    /**
     * The text with the password of every URI in it replaced by {@value #MASK}; a user name without a password is taken
     * for a token and replaced as well.
     */
    public static String mask(String text) {
        String withoutPasswords = PASSWORD.matcher(text).replaceAll("$1" + MASK + "@");
        return ONLY_USER.matcher(withoutPasswords).replaceAll("$1" + MASK + "@");
    }
}
