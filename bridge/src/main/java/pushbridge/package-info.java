/** The process: {@link pushbridge.Main} hands the command line to the commands of {@code pushbridge.cli}. */
@NullMarked
package pushbridge;

import org.jspecify.annotations.NullMarked;
