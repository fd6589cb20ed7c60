<?php
// Publishes notes with consecutive seqs: publish.php EXCHANGE ADDRESS FIRST COUNT RATE (a second; 0: as fast as it goes).
declare(strict_types=1);

require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

[, $exchange, $address, $first, $count, $rate] = $argv;
$uri = parse_url(getenv('PUSHBRIDGE_AMQP_URI'));
$connection = new AMQPStreamConnection($uri['host'], $uri['port'], $uri['user'], $uri['pass'], rawurldecode(substr($uri['path'], 1)));
$channel = $connection->channel();
$channel->confirm_select();
$refused = 0;
$channel->set_nack_handler(function () use (&$refused) { $refused++; });
$channel->set_return_listener(function () use (&$refused) { $refused++; });
$began = microtime(true);
for ($i = 0; $i < (int) $count; $i++) {
    $body = json_encode(['type' => 'note', 'payload' => ['n' => $i], 'seq' => (int) $first + $i]);
    $channel->basic_publish(new AMQPMessage($body, ['delivery_mode' => 2]), $exchange, $address, true);
    if ((int) $rate > 0) {
        $ahead = $began + $i / (int) $rate - microtime(true);
        if ($ahead > 0) {
            usleep((int) ($ahead * 1e6));
        }
    }
}
$channel->wait_for_pending_acks_returns(60);
$connection->close();
exit($refused === 0 ? 0 : 1);
