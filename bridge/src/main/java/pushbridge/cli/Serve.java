package pushbridge.cli;

import pushbridge.config.EffectiveConfig;

/** Runs a bridge. */
@FunctionalInterface
public interface Serve {
    /** Runs a bridge in the calling thread until it is told to stop, and says how it ended. */
    ExitCode run(EffectiveConfig config);
}
