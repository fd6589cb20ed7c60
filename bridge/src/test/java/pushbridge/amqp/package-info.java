/** Tests of the RabbitMQ side; those named {@code *IT} need a broker. */
@NullMarked
package pushbridge.amqp;

import org.jspecify.annotations.NullMarked;
