// node publish.mjs ADDRESS TYPE PAYLOAD-JSON, with AMQP_URI in the environment. Needs amqplib (npm install amqplib).
import amqp from 'amqplib';

/** Resolves when RabbitMQ has the message safely. */
export function push(channel, address, type, payload, seq = Date.now() * 1000) {
  return new Promise((resolve, reject) => {
    const returned = (message) => message.fields.routingKey === address && reject(new Error('RabbitMQ has no queue for it'));
    const closed = (error) => reject(error ?? new Error('the channel was closed'));
    channel.once('return', returned).once('error', closed).once('close', closed);
    const body = Buffer.from(JSON.stringify({ type, payload, seq }));
    const options = { persistent: true, mandatory: true, contentType: 'application/json' };
    channel.publish('push', address, body, options, (error) => {
      channel.off('return', returned).off('error', closed).off('close', closed);
      error ? reject(error) : resolve();
    });
  });
}

const [address, type, payload] = process.argv.slice(2);
try {
  const connection = await amqp.connect(process.env.AMQP_URI);
  const channel = await connection.createConfirmChannel();
  await push(channel, address, type, JSON.parse(payload));
  await connection.close();
} catch (error) {
  console.error(`not sent: ${error.message}`);
  process.exit(1);
}
