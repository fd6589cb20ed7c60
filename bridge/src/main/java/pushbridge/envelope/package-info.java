/** What a push-instruction must look like: addresses, the envelope, its schema, and the reasons for refusing one. */
@NullMarked
package pushbridge.envelope;

import org.jspecify.annotations.NullMarked;
