/**
 * What may travel: addresses, the envelope and its schema, the reasons for refusing one, and the frames with which a
 * client and the bridge talk about it.
 */
@NullMarked
package pushbridge.envelope;

import org.jspecify.annotations.NullMarked;
