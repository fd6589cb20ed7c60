/**
 * Dead letters as operators see them: looking, filtering, replaying, discarding, exporting. How they are read from and
 * published to RabbitMQ is elsewhere, behind {@link pushbridge.letters.Shelves}.
 */
@NullMarked
package pushbridge.letters;

import org.jspecify.annotations.NullMarked;
