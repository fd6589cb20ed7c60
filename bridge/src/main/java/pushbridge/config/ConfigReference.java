package pushbridge.config;

import java.util.stream.Collectors;

/** Writes the reference of all keys. Plain ASCII, so that no terminal and no redirection can damage it. */
public final class ConfigReference {
    /** Writes this file anew, to be run in the root of the repository. */
    public static final String REGENERATE = "bin/pushbridge config-doc > bridge/CONFIGURATION.md";

    private ConfigReference() {}

    /** The whole reference as Markdown. */
    public static String markdown() {
        StringBuilder text = new StringBuilder("""
                # Configuration

                <!-- Generated: do not edit. `%s` writes it anew. -->

                Everything has a default except `pushbridge.auth.mode`. A bridge with a wrong or unknown key does not start;
                it lists all problems at once, each with where it was set and what is allowed.
                `pushbridge check-config` tells the same without starting one.

                Sources, a later one overriding an earlier one:

                1. the defaults below;
                2. a YAML file, `pushbridge serve --config FILE`, with nested or dotted keys;
                3. environment variables: the key in capitals with `_` for `.` and `-`;
                4. the command line: `--set amqp.prefetch=100`, as often as needed; `pushbridge.` may be left out.

                ```yaml
                pushbridge:
                  amqp:
                    uri-file: /run/secrets/amqp-uri
                    prefetch: 1000
                  hold.after: 500ms
                ```

                Durations are written `500ms`, `5s`, `10m`, `24h`; sizes `1024` (bytes), `64KiB`, `1MiB`, `1GiB`; percentages
                as whole numbers. A list is separated by commas, or in YAML a list. Host names, paths and the like are taken
                as they stand. Every limit is inclusive.

                Keys marked *secret* are never shown (`***`) and have a twin with `-file` at its end
                (`pushbridge.amqp.uri-file`, `PUSHBRIDGE_AMQP_URI_FILE`) that names a file holding the value; only one of
                the two may be set in one source.

                Keys marked *reloadable* are taken over by a running bridge on SIGHUP or `pushbridge reload`, payload schemas and what
                `-file` names included; all others need a restart.

                Between keys these must hold: `amqp.prefetch` times `message.max-bytes` is at most `intake.heap-percent` of the
                heap, and `intake.heap-percent` plus `outbox.heap-percent` at most 90; `amqp.backoff-max` is at least
                `amqp.backoff-initial`; `amqp.max-inbound-bytes` is at least `message.max-bytes`, and `outbox.max-bytes` at least
                twice that and at least `lane.window-bytes`; `outbox.max-frames` is at least `lane.window-messages`; the
                two listeners have different ports; `auth.mode` `dev` listens on loopback unless `auth.dev-allow-remote`.
                """.formatted(REGENERATE));
        for (Key.Group group : Key.Group.values()) {
            text.append("\n## ")
                    .append(group.title)
                    .append("\n\n")
                    .append(group.sentence)
                    .append("\n\n");
            text.append("| key and environment variable | default | allowed | meaning |\n");
            text.append("| --- | --- | --- | --- |\n");
            for (Key<?> key : Keys.all()) {
                if (key.group() == group) {
                    text.append("| `%s`<br>`%s` | %s | %s | %s |\n"
                            .formatted(
                                    key.fullName(),
                                    key.environmentName(),
                                    key.fallback().documented(),
                                    cell(key.type().allowed()),
                                    cell(key.sentence()) + (key.secret() ? " *Secret.*" : "")
                                            + (Keys.RELOADABLE.contains(key) ? " *Reloadable.*" : "")));
                }
            }
        }
        text.append("\n## Other environment variables\n\n")
                .append("Every other `PUSHBRIDGE_*` is reported as an unknown key, except:\n\n")
                .append(EnvironmentSource.OTHERS.entrySet().stream()
                        .map(other -> "- `" + other.getKey() + "`: " + other.getValue() + "\n")
                        .collect(Collectors.joining()));
        return text.toString();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("<", "&lt;");
    }
}
