package pushbridge.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Users who come back all at once, get what was held for them, and leave. */
final class Returning {

    private static final Duration LOOK = Duration.ofMillis(10);

    private Returning() {}

    /**
     * Connects them and waits.
     *
     * @param ledger of as many users
     * @param distinct how many different messages the ledger has to have at the end
     */
    static List<Client> all(BridgeProcess bridge, String prefix, int users, Ledger ledger, long distinct)
            throws BenchException {
        List<Client> clients = new ArrayList<>(users);
        long closedBefore = ledger.closed();
        try (Swarm swarm = new Swarm(bridge.socketPort(), 1, ledger)) {
            for (int user = 0; user < users; user++) {
                clients.add(swarm.connect(Flood.user(prefix, user), user));
            }
            Waiting.progress("messages delivered", (double) distinct, LOOK, Bench.PATIENCE, () -> {
                if (ledger.closed() > closedBefore) {
                    throw new BenchException("the bridge ended a connection: " + ledger.whyClosed());
                }
                return (double) ledger.distinct();
            });
            // The last pongs must still get there, or what they confirm is held for the next time.
            Waiting.until(
                    "what was delivered to be confirmed",
                    Bench.PATIENCE,
                    () -> bridge.metrics().get("lanes") == 0);
        }
        return clients;
    }
}
