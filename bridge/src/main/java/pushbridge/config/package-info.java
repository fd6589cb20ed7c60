/**
 * The configuration: what can be set, its defaults and limits, and how it is read. The records are plain values that
 * every package may take in its constructor; only {@code app} and {@code cli} load them.
 */
@NullMarked
package pushbridge.config;

import org.jspecify.annotations.NullMarked;
