/** Who may do what: tokens and the keys that sign them, channel grants, origins. Knows neither sockets nor HTTP handlers. */
@NullMarked
package pushbridge.auth;

import org.jspecify.annotations.NullMarked;
