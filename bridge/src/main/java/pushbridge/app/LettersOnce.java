package pushbridge.app;

import java.util.List;
import pushbridge.amqp.LetterShelves;
import pushbridge.config.ConfigException;
import pushbridge.config.DeadLetterSettings;
import pushbridge.delivery.Clock;
import pushbridge.envelope.EnvelopeReader;
import pushbridge.envelope.SchemaFileException;
import pushbridge.letters.LetterDesk;
import pushbridge.letters.LocalDesk;

/** The commands for dead letters while no bridge runs: straight to RabbitMQ. */
public final class LettersOnce {

    private LettersOnce() {}

    /** Wires; connects to nothing yet. */
    public static LetterDesk open(DeadLetterSettings settings, String holder) throws ConfigException {
        try {
            EnvelopeReader envelopes = new EnvelopeReader(settings.message());
            LetterShelves shelves = new LetterShelves(
                    settings.amqp(),
                    settings.letters(),
                    "dead-letters-" + ProcessHandle.current().pid(),
                    holder,
                    envelopes::read,
                    Clock.system());
            return new LocalDesk(shelves, System::currentTimeMillis, shelves::close);
        } catch (SchemaFileException e) {
            throw new ConfigException(List.of(String.valueOf(e.getMessage())));
        }
    }
}
