/**
 * Measures the distribution from outside: it starts a broker and a bridge as processes of their own, plays publishers and
 * browsers, and says what it saw.
 */
@NullMarked
package pushbridge.bench;

import org.jspecify.annotations.NullMarked;
