<?php
// php publish.php ADDRESS TYPE PAYLOAD-JSON, with AMQP_URI in the environment. The work is in ../notify/Push.php.
// PUSH_WITH=ext-amqp or php-amqplib chooses one where both are installed.

declare(strict_types=1);

require __DIR__ . '/../notify/Push.php';

[, $address, $type, $payload] = $argv;
$extension = ['ext-amqp' => true, 'php-amqplib' => false][getenv('PUSH_WITH')] ?? null;
try {
    (new Push(getenv('AMQP_URI'), extension: $extension))->send($address, $type, json_decode($payload, true, flags: JSON_THROW_ON_ERROR));
} catch (Exception $e) {
    fwrite(STDERR, "not sent: {$e->getMessage()}\n");
    exit(1);
}
