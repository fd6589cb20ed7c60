package pushbridge.config;

/**
 * What the machine gives; some defaults and limits depend on it.
 *
 * @param maxHeapBytes the heap the process may grow to, in bytes
 * @param processors processors the process may use
 */
public record Machine(long maxHeapBytes, int processors) {

    /** The machine this process runs on. */
    public static Machine current() {
        return new Machine(
                Runtime.getRuntime().maxMemory(), Runtime.getRuntime().availableProcessors());
    }
}
