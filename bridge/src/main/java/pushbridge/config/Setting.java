package pushbridge.config;

/**
 * One value as a source gives it, not read yet.
 *
 * @param key what it sets
 * @param isTwin whether the text names a file that holds the value
 * @param text the value, perhaps secret
 * @param origin where it stands
 */
record Setting(Key<?> key, boolean isTwin, String text, Origin origin) {

    /** The name as it was set: the key's, or its file twin's. */
    String name() {
        return isTwin ? key.fileTwin() : key.fullName();
    }
}
