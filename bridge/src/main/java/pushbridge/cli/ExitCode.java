package pushbridge.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** How a command ended, for scripts. The numbers follow sysexits.h where it has one. */
public enum ExitCode {
    /** The command did what it was asked to. */
    OK(0, "done"),
    /** On the broker something is missing or is not as it is wanted, or not everything could be done. */
    DIFFERENT(1, "what was checked is not as it is wanted, or something was left undone"),
    /** The command line cannot be understood. */
    USAGE(2, "wrong command line"),
    /** What was given is not valid, or names what is not there. */
    DATA(65, "invalid data, or no such thing; nothing was published"),
    /** Something needed is not there: the broker, its exchange, a port. */
    UNAVAILABLE(69, "something needed is not there: broker, exchange, port"),
    /** A fault of the program. */
    INTERNAL(70, "internal error"),
    /** The broker refused or did not answer; the same command may succeed later. */
    TRY_AGAIN(75, "the broker refused or did not answer; try again later"),
    /** The running bridge lets nobody in with this token or certificate. */
    REFUSED(77, "the bridge wants another token or certificate"),
    /** The configuration is wrong. */
    CONFIG(78, "wrong configuration"),
    /** A second SIGTERM or SIGINT while the bridge was stopping; as a shell tells of a process that SIGTERM has ended. */
    FORCED(143, "ended at once by a second signal");

    private final int number;
    private final String meaning;

    ExitCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    /** The exit code of the process. */
    public int number() {
        return number;
    }

    /** For the help text: number and meaning. */
    static Map<String, String> list() {
        Map<String, String> list = new LinkedHashMap<>();
        for (ExitCode code : values()) {
            list.put(String.valueOf(code.number), code.meaning);
        }
        return list;
    }
}
