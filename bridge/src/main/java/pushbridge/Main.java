package pushbridge;

/** Entry point of the {@code pushbridge} command. */
public final class Main {
    private Main() {}

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(args.length);
    }
}
