/** Looks whether a bridge can work with a configuration, on this machine and with this RabbitMQ, and changes nothing. */
@NullMarked
package pushbridge.doctor;

import org.jspecify.annotations.NullMarked;
