/** Hands out the client library of {@code bridge/client}, in every mode. */
@NullMarked
package pushbridge.client;

import org.jspecify.annotations.NullMarked;
