/** The whole bridge in this process, on the real broker and real sockets. */
@NullMarked
package pushbridge.app;

import org.jspecify.annotations.NullMarked;
