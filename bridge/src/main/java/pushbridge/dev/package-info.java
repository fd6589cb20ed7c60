/** The page for trying out, and publishing from it: only in dev mode, and only to this machine. */
@NullMarked
package pushbridge.dev;

import org.jspecify.annotations.NullMarked;
