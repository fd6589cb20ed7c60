/** What tests of several packages share. */
@NullMarked
package pushbridge.testing;

import org.jspecify.annotations.NullMarked;
