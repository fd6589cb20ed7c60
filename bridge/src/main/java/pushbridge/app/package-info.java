/** Where everything is put together: the one place that knows all parts, and how they start, stop and fare. */
@NullMarked
package pushbridge.app;

import org.jspecify.annotations.NullMarked;
