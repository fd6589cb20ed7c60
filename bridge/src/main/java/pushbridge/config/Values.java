package pushbridge.config;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The value of every key that could be read, with where it comes from. */
final class Values {
    private record Value(@Nullable Object object, Origin origin) {}

    private final Map<Key<?>, Value> values = new HashMap<>();

    <T> void put(Key<T> key, @Nullable T value, Origin origin) {
        values.put(key, new Value(value, origin));
    }

    /** Whether all of these could be read; until then checks between them make no sense. */
    boolean have(Key<?>... keys) {
        for (Key<?> key : keys) {
            if (!values.containsKey(key)) {
                return false;
            }
        }
        return true;
    }

    /** The value of a key that has one. */
    <T> T get(Key<T> key) {
        T value = getOrNull(key);
        if (value == null) {
            throw new IllegalStateException(key.fullName() + " has no value");
        }
        return value;
    }

    /** The value of a key; null when it has none. */
    @SuppressWarnings("unchecked") // only put() fills the map, and there the types of key and value agree
    <T> @Nullable T getOrNull(Key<T> key) {
        return (T) value(key).object;
    }

    Origin origin(Key<?> key) {
        return value(key).origin;
    }

    private Value value(Key<?> key) {
        Value value = values.get(key);
        if (value == null) {
            throw new IllegalStateException(key.fullName() + " was not read");
        }
        return value;
    }
}
