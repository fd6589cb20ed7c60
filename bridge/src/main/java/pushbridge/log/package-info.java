/** What reaches a reader's eyes: the log, and a terminal. Text from outside can change neither. */
@NullMarked
package pushbridge.log;

import org.jspecify.annotations.NullMarked;
