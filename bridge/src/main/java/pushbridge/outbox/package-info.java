/** Frames waiting for one connection: encoded once, bounded, drained by one writer. */
@NullMarked
package pushbridge.outbox;

import org.jspecify.annotations.NullMarked;
