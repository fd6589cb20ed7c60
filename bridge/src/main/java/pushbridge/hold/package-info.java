/**
 * The pure half of the held log: its records and their bytes, the index that is a fold over them, and the rules that keep
 * the log proportional to what is held. No broker, no threads, no I/O: the delivery loop's thread owns all of it.
 */
@NullMarked
package pushbridge.hold;

import org.jspecify.annotations.NullMarked;
