package pushbridge.admin;

import java.util.List;
import java.util.Map;

/**
 * How the process is.
 *
 * @param live false when only a restart can help
 * @param ready whether it does its work now
 * @param liveChecks what the first rests on, with a word on each, in a fixed order
 * @param checks what was looked at besides, likewise
 * @param problems one sentence each on what keeps it from being ready, or needs an operator although it is
 */
public record Health(
        boolean live,
        boolean ready,
        Map<String, String> liveChecks,
        Map<String, String> checks,
        List<String> problems) {}
