/** What the bridge counts, under which names, and what a rise of it means. */
@NullMarked
package pushbridge.metrics;

import org.jspecify.annotations.NullMarked;
