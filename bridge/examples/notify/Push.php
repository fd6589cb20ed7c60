<?php
// Pushes to browsers through RabbitMQ and Pushbridge, in one file; take it as it is. Uses the extension amqp where PHP has it, else
// php-amqplib.
//
//   $push = new Push('amqp://app:secret@rabbit/%2F');
//   $push->send('user.123', 'order.shipped', ['order' => 4711]);
//
// When send() returns, RabbitMQ has the message safely: durable, confirmed by a majority, and routed to a queue.

declare(strict_types=1);

final class Push
{
    private array $at;
    private bool $extension;

    /** @param ?bool $extension true: the extension amqp; false: php-amqplib; null: what there is */
    public function __construct(string $uri, private string $exchange = 'push', ?bool $extension = null, private float $timeout = 5.0)
    {
        $parts = parse_url($uri);
        if (!isset($parts['host'])) {
            throw new InvalidArgumentException('the address of RabbitMQ is not like amqp://user:password@host:5672/%2F');
        }
        $this->at = [
            'host' => $parts['host'],
            'port' => $parts['port'] ?? 5672,
            'login' => rawurldecode($parts['user'] ?? 'guest'),
            'password' => rawurldecode($parts['pass'] ?? 'guest'),
            'vhost' => rawurldecode(substr($parts['path'] ?? '/%2F', 1)),
        ];
        $this->extension = $extension ?? extension_loaded('amqp');
        if (!$this->extension && !class_exists(PhpAmqpLib\Connection\AMQPStreamConnection::class)) {
            require_once 'PhpAmqpLib/autoload.php'; // Debian's php-amqplib; with Composer: vendor/autoload.php
        }
    }

    /**
     * @param array $payload       business data
     * @param int   $expiresAfter  seconds after which nobody wants it any more; 0: as long as the bridge holds messages
     * @param ?int  $seq           your number for it; the same again when you send the same again, and pages drop the second
     * @throws Exception RabbitMQ did not take it; send the same again, or tell somebody
     */
    public function send(string $address, string $type, array $payload, int $expiresAfter = 0, ?int $seq = null): void
    {
        $body = json_encode(
            ['type' => $type, 'payload' => (object) $payload, 'seq' => $seq ?? (int) (microtime(true) * 1e6)],
            JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES,
        );
        $properties = ['delivery_mode' => 2, 'content_type' => 'application/json', 'timestamp' => time()];
        if ($expiresAfter > 0) {
            $properties['expiration'] = (string) ($expiresAfter * 1000);
        }
        $this->extension ? $this->byExtension($address, $body, $properties) : $this->byLibrary($address, $body, $properties);
    }

    private function byExtension(string $address, string $body, array $properties): void
    {
        $connection = new AMQPConnection($this->at + ['connect_timeout' => $this->timeout, 'read_timeout' => $this->timeout, 'write_timeout' => $this->timeout]);
        $connection->connect();
        try {
            $channel = new AMQPChannel($connection);
            $channel->confirmSelect();
            $confirmed = false;
            $problem = 'RabbitMQ did not confirm the message in time';
            $channel->setReturnCallback(function ($code, $text) use (&$problem) {
                $problem = "RabbitMQ has no queue for it: $text";
                return true;
            });
            $channel->setConfirmCallback(
                function () use (&$confirmed) { return !($confirmed = true); }, // false: enough waited
                function () use (&$problem) { $problem = 'RabbitMQ refuses it: the queue is full'; return false; },
            );
            $exchange = new AMQPExchange($channel);
            $exchange->setName($this->exchange);
            $exchange->publish($body, $address, AMQP_MANDATORY, $properties);
            $channel->waitForConfirm($this->timeout);
            if (!$confirmed || !str_contains($problem, 'in time')) {
                throw new RuntimeException($problem);
            }
        } finally {
            $connection->disconnect();
        }
    }

    private function byLibrary(string $address, string $body, array $properties): void
    {
        $connection = new PhpAmqpLib\Connection\AMQPStreamConnection(
            $this->at['host'],
            $this->at['port'],
            $this->at['login'],
            $this->at['password'],
            $this->at['vhost'],
            connection_timeout: $this->timeout,
            read_write_timeout: $this->timeout * 2,
        );
        try {
            $channel = $connection->channel();
            $channel->confirm_select();
            $confirmed = false;
            $problem = null;
            $channel->set_return_listener(function ($code, $text) use (&$problem) { $problem = "RabbitMQ has no queue for it: $text"; });
            $channel->set_ack_handler(function () use (&$confirmed) { $confirmed = true; });
            $channel->set_nack_handler(function () use (&$problem) { $problem = 'RabbitMQ refuses it: the queue is full'; });
            $channel->basic_publish(new PhpAmqpLib\Message\AMQPMessage($body, $properties), $this->exchange, $address, true);
            $channel->wait_for_pending_acks_returns($this->timeout);
            if ($problem !== null || !$confirmed) {
                throw new RuntimeException($problem ?? 'RabbitMQ did not confirm the message in time');
            }
        } finally {
            if ($connection->isConnected()) {
                $connection->close();
            }
        }
    }
}
