<?php
// A message board: who posts is in the PHP session; a post is published to channel.chat; every page shows it.
// Run with: php -S 127.0.0.1:8000 index.php

declare(strict_types=1);

require 'PhpAmqpLib/autoload.php'; // Debian's php-amqplib; with Composer: vendor/autoload.php
require __DIR__ . '/publish.php';

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
header('X-Content-Type-Options: nosniff');

if ($path === '/chat.js' || $path === '/chat.css') {
    header('Content-Type: ' . ($path === '/chat.js' ? 'text/javascript' : 'text/css') . '; charset=utf-8');
    header('Cache-Control: no-cache');
    readfile(__DIR__ . $path);
    return;
}

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Strict', 'use_strict_mode' => true]);
$_SESSION['name'] ??= 'guest-' . random_int(1000, 9999);
$name = $_SESSION['name'];
session_write_close(); // else this visitor's next request waits for RabbitMQ as well

function answer(int $status, array $body): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
}

if ($path === '/post') {
    // A form on another page can neither send this type nor, being SameSite=Strict, the session.
    if ($_SERVER['REQUEST_METHOD'] !== 'POST' || !str_starts_with($_SERVER['CONTENT_TYPE'] ?? '', 'application/json')) {
        answer(405, ['error' => 'Post JSON.']);
        return;
    }
    $text = json_decode(file_get_contents('php://input'), true)['text'] ?? null;
    if (!is_string($text) || trim($text) === '' || strlen($text) > 4000) {
        answer(422, ['error' => 'A text of 1 to 4000 bytes is needed.']);
        return;
    }
    try {
        push('channel.chat', 'chat.message', ['from' => $name, 'text' => $text]);
        answer(202, ['ok' => true]);
    } catch (RuntimeException $e) {
        answer(503, ['error' => 'The message could not be sent. Try again.']);
    }
    return;
}

if ($path !== '/') {
    http_response_code(404);
    return;
}
header("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    . "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
header('Cache-Control: no-store');
$shown = htmlspecialchars($name, ENT_QUOTES | ENT_SUBSTITUTE);
?>
<!doctype html>
<html lang="en" data-name="<?= $shown ?>">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Message board</title>
  <link rel="stylesheet" href="/chat.css">
  <script src="/chat.js" type="module"></script>
</head>
<body>
  <h1>Message board</h1>
  <p>You are <strong><?= $shown ?></strong>. <span id="state" role="status">connecting</span></p>
  <ol id="messages" aria-live="polite"></ol>
  <form id="post">
    <label>Message <input name="text" required maxlength="1000" autocomplete="off"></label>
    <button>Post</button>
    <output id="outcome"></output>
  </form>
</body>
</html>
