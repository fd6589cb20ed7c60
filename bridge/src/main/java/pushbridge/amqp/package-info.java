/** The RabbitMQ side: takes instructions, owns the right to take them, and publishes copies that must be safe. */
@NullMarked
package pushbridge.amqp;

import org.jspecify.annotations.NullMarked;
