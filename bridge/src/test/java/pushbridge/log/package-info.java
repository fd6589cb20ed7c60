/** Tests of what a log can be made to say. */
@NullMarked
package pushbridge.log;

import org.jspecify.annotations.NullMarked;
