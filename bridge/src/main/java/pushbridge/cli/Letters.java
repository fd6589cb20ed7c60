package pushbridge.cli;

import pushbridge.config.ConfigException;
import pushbridge.config.DeadLetterSettings;
import pushbridge.letters.LetterDesk;

/** Opens the dead letters without a bridge. */
@FunctionalInterface
public interface Letters {

    /**
     * Connects to nothing yet. Closing it gives everything back.
     *
     * @param holder who reads, for somebody else who wants to
     * @throws ConfigException a payload schema cannot be used
     */
    LetterDesk open(DeadLetterSettings settings, String holder) throws ConfigException;
}
