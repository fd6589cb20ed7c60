@NullMarked
package pushbridge.auth;

import org.jspecify.annotations.NullMarked;
