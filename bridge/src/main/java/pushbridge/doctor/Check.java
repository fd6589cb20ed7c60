package pushbridge.doctor;

import java.util.Locale;

/**
 * One thing that was looked at.
 *
 * @param name what it is about, one or two words, the same for the same thing
 * @param what what was found, without a full stop
 * @param why why it matters, one sentence with its full stop; empty when nothing is wrong
 * @param todo what to do about it, likewise
 */
public record Check(String name, Verdict verdict, String what, String why, String todo) {

    /** How good it is; the later, the worse. */
    public enum Verdict {
        /** As it should be. */
        OK,
        /** It cannot be found out, or not now; what and why is said. */
        UNKNOWN,
        /** It works, and somebody should look at it. */
        WARN,
        /** It keeps a bridge from its work. */
        FAIL;

        /** As in JSON. */
        public String slug() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Check ok(String name, String what) {
        return new Check(name, Verdict.OK, what, "", "");
    }

    static Check unknown(String name, String what, String todo) {
        return new Check(name, Verdict.UNKNOWN, what, "", todo);
    }

    static Check warn(String name, String what, String why, String todo) {
        return new Check(name, Verdict.WARN, what, why, todo);
    }

    static Check fail(String name, String what, String why, String todo) {
        return new Check(name, Verdict.FAIL, what, why, todo);
    }
}
