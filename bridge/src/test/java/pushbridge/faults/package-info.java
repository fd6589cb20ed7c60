/**
 * What survives when things break: a flow of messages through real bridge processes and a RabbitMQ of the suite's own, a
 * fault, and a checker outside of both that knows every published message and every frame each client saw.
 */
@NullMarked
package pushbridge.faults;

import org.jspecify.annotations.NullMarked;
