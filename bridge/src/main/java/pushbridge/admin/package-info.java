/** The listener for operators: health and metrics. Loopback by default, and never part of the public listener. */
@NullMarked
package pushbridge.admin;

import org.jspecify.annotations.NullMarked;
