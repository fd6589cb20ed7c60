@NullMarked
package pushbridge.letters;

import org.jspecify.annotations.NullMarked;
