/** How long things take, counted cheaply enough for the path of every message. */
@NullMarked
package pushbridge.timing;

import org.jspecify.annotations.NullMarked;
