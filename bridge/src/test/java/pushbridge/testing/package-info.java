/** What tests of several packages use: clocks that stand still, fakes, and the real broker. */
@NullMarked
package pushbridge.testing;

import org.jspecify.annotations.NullMarked;
