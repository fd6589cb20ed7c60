/** The delivery loop: which message goes to whom, what is in flight, and when it is settled. Knows neither broker nor sockets. */
@NullMarked
package pushbridge.delivery;

import org.jspecify.annotations.NullMarked;
