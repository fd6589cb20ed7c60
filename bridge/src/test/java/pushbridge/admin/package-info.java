/** Tests of the listener for operators. */
@NullMarked
package pushbridge.admin;

import org.jspecify.annotations.NullMarked;
