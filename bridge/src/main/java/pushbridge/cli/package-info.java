/**
 * The command line: reads arguments and configuration, hands over to what does the work, and turns its answer into a
 * sentence and an exit code. Streams and environment are arguments, so all of it runs inside a test.
 */
@NullMarked
package pushbridge.cli;

import org.jspecify.annotations.NullMarked;
