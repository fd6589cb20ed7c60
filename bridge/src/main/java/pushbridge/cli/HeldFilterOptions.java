package pushbridge.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which addresses with held messages are meant, beside their names. */
final class HeldFilterOptions {

    @Option(
            names = "--older-than",
            paramLabel = "TIME",
            description = "Only addresses whose oldest message has been held for longer, such as 90m or 12h.")
    @Nullable
    String olderThan;

    @Option(names = "--at-least", paramLabel = "N", description = "Only addresses with so many messages or more.")
    @Nullable
    Integer atLeast;
}
