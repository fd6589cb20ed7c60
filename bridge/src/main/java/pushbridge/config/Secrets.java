package pushbridge.config;

import java.util.regex.Pattern;

/** Takes secrets out of texts that people and log files see. */
public final class Secrets {
    /** Stands where a secret was. */
    public static final String MASK = "***";

    // Up to the last '@' without a space, because a password may hold an '@' that should have been written %40.
    private static final Pattern PASSWORD = Pattern.compile("(://[^:/@\\s]*:)\\S*@");
    private static final Pattern ONLY_USER = Pattern.compile("(://)[^:/@\\s]+@");

    // A JSON Web Token: its head and its claims always begin so.
    private static final Pattern TOKEN = Pattern.compile("eyJ[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]*)?");

    private Secrets() {}

    /**
     * The text with the password of every URI in it replaced by {@value #MASK}; a user name without a password is taken
     * for a token and replaced as well, and so is a JSON Web Token wherever it stands.
     */
    public static String mask(String text) {
        String withoutPasswords = PASSWORD.matcher(text).replaceAll("$1" + MASK + "@");
        String withoutUsers = ONLY_USER.matcher(withoutPasswords).replaceAll("$1" + MASK + "@");
        return TOKEN.matcher(withoutUsers).replaceAll(MASK);
    }
}
