package pushbridge.log;

import java.io.Console;

/** Whether a person looks on. */
public final class Terminal {

    private Terminal() {}

    /** Whether input and output are a terminal's. */
    @SuppressWarnings("SystemConsoleNull") // asked for that very reason
    public static boolean isThere() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            // From Java 22 on there is a console in any case, and it has to be asked.
            return Boolean.TRUE.equals(Console.class.getMethod("isTerminal").invoke(console));
        } catch (ReflectiveOperationException e) {
            return true; // an older Java: there is a console only where there is a terminal
        }
    }
}
