/** Certificates and keys from files, read again when they change; TLS for the listeners. Knows nothing of what is sent. */
@NullMarked
package pushbridge.tls;

import org.jspecify.annotations.NullMarked;
