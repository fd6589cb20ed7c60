package pushbridge.config;

import org.jspecify.annotations.Nullable;

/**
 * A key and its value, as everybody may see them.
 *
 * @param key the whole name, {@code pushbridge.amqp.uri}
 * @param value as people write it, secrets masked; null when it has none
 * @param from where it was set, {@code bridge.yaml line 12}; {@code default} when nowhere
 * @param isDefault whether it is what holds when nothing sets it
 */
public record ShownSetting(String key, @Nullable String value, String from, boolean isDefault) {

    /** {@code pushbridge.amqp.prefetch = 100 (from command line)} */
    String line() {
        return key + " = " + value + " (from " + from + ")";
    }
}
