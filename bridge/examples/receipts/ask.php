<?php
// php ask.php ADDRESS TYPE PAYLOAD-JSON [SECONDS], with AMQP_URI in the environment: publishes a message and waits until it is
// delivered. Exit code 0: the reader has it; 1: it never will; 3: not known within that time (60 s unless given).

declare(strict_types=1);

require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPTimeoutException;
use PhpAmqpLib\Message\AMQPMessage;

[, $address, $type, $payload] = $argv;
$deadline = microtime(true) + (float) ($argv[4] ?? 60);
$uri = parse_url(getenv('AMQP_URI'));
$connection = new AMQPStreamConnection($uri['host'], $uri['port'] ?? 5672, $uri['user'], $uri['pass'], rawurldecode(substr($uri['path'], 1)));
$channel = $connection->channel();

// A queue of our own, bound before anything is published: what nobody has bound when the receipt comes is lost.
$replyTo = 'receipts.' . bin2hex(random_bytes(8));
$channel->queue_declare($replyTo, exclusive: true);
$channel->queue_bind($replyTo, 'push.receipts', $replyTo);

$question = bin2hex(random_bytes(8));
$status = 3;
$channel->basic_consume($replyTo, no_ack: true, callback: function (AMQPMessage $message) use ($question, &$status) {
    if ($message->get('correlation_id') !== $question) {
        return; // the answer to another question
    }
    $receipt = json_decode($message->getBody(), true);
    echo $receipt['outcome'], isset($receipt['reason']) ? " ({$receipt['reason']}: {$receipt['detail']})" : '', "\n";
    if ($receipt['final']) { // "held" is not: it comes when its reader is away, and another receipt follows
        $status = $receipt['outcome'] === 'delivered' ? 0 : 1;
    }
});

$envelope = ['type' => $type, 'payload' => json_decode($payload, false, flags: JSON_THROW_ON_ERROR), 'seq' => (int) (microtime(true) * 1e6)];
$channel->basic_publish(
    new AMQPMessage(json_encode($envelope, JSON_THROW_ON_ERROR), ['delivery_mode' => 2, 'reply_to' => $replyTo, 'correlation_id' => $question]),
    'push',
    $address,
);
while ($status === 3 && ($left = $deadline - microtime(true)) > 0) {
    try {
        $channel->wait(null, false, $left);
    } catch (AMQPTimeoutException) {
        echo "nothing heard in time\n";
    }
}
$connection->close();
exit($status);
