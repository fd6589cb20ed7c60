package pushbridge.bench;

import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;

/** What a person reads while it runs; stdout belongs to the result. */
final class Console {

    private Console() {}

    static void say(String sentence) {
        System.err.println(LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS) + " " + sentence);
    }
}
