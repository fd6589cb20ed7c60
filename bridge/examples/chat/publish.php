<?php
// Publishes one message so that it is not lost between here and RabbitMQ: durable, with confirm and mandatory, with a
// timeout, and again with growing pauses. Each attempt has the same seq and the same text, so that a message which arrived
// although its confirm did not is a duplicate that the pages drop.

declare(strict_types=1);

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

const ATTEMPTS = 4;
const CONFIRM_SECONDS = 5.0;

/** @throws RuntimeException RabbitMQ did not take it, after all attempts */
function push(string $address, string $type, array $payload): void
{
    $body = json_encode(
        ['type' => $type, 'payload' => (object) $payload, 'seq' => (int) (microtime(true) * 1e6)],
        JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE,
    );
    for ($attempt = 1; ; $attempt++) {
        try {
            publish_once($address, $body);
            return;
        } catch (Exception $e) {
            error_log("publishing to $address, attempt $attempt: {$e->getMessage()}");
            if ($attempt === ATTEMPTS) {
                throw new RuntimeException('RabbitMQ did not take the message', 0, $e);
            }
            usleep(random_int(0, 100_000 * 4 ** $attempt)); // up to 0.4, 1.6, 6.4 s
        }
    }
}

function publish_once(string $address, string $body): void
{
    $uri = parse_url(getenv('PUSHBRIDGE_AMQP_URI') ?: 'amqp://guest:guest@127.0.0.1:5672/%2F');
    $connection = new AMQPStreamConnection(
        $uri['host'],
        $uri['port'] ?? 5672,
        rawurldecode($uri['user'] ?? 'guest'),
        rawurldecode($uri['pass'] ?? 'guest'),
        rawurldecode(substr($uri['path'] ?? '/%2F', 1)),
        connection_timeout: 3.0,
        read_write_timeout: 10.0,
    );
    try {
        $channel = $connection->channel();
        $channel->confirm_select();
        $refused = null;
        $confirmed = false;
        $channel->set_ack_handler(function () use (&$confirmed) { $confirmed = true; });
        $channel->set_nack_handler(function () use (&$refused) { $refused = 'the queue of instructions is full'; });
        $channel->set_return_listener(function ($code, $text) use (&$refused) { $refused = "no queue for it: $text"; });
        $message = new AMQPMessage($body, ['delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT]);
        $channel->basic_publish($message, 'push', $address, true);
        $channel->wait_for_pending_acks_returns(CONFIRM_SECONDS);
        if ($refused !== null || !$confirmed) {
            throw new RuntimeException($refused ?? 'no confirm in time');
        }
    } finally {
        try {
            $connection->close();
        } catch (Exception $e) {
            error_log("closing the connection to RabbitMQ: {$e->getMessage()}");
        }
    }
}
