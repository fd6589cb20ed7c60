<?php
// "Notify user 123": the page of a user, who logs in by name here, and a form with which somebody else notifies that user.
// AMQP_URI, PUSH_SECRET (the bridge's auth.secret) and PUSH_URL (ws://host/ws) come from the environment.
// Run with: php -S 127.0.0.1:8000 index.php

declare(strict_types=1);

require __DIR__ . '/Push.php';

/** What a browser shows the bridge: who it is, for a quarter of an hour. */
function token(string $secret, string $user, int $seconds = 900): string
{
    $b64 = fn(string $s): string => rtrim(strtr(base64_encode($s), '+/', '-_'), '=');
    $signed = $b64('{"alg":"HS256","typ":"JWT"}') . '.' . $b64(json_encode(['sub' => $user, 'exp' => time() + $seconds], JSON_THROW_ON_ERROR));
    return $signed . '.' . $b64(hash_hmac('sha256', $signed, $secret, true));
}

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Strict', 'use_strict_mode' => true]);
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$post = $_SERVER['REQUEST_METHOD'] === 'POST';
header('X-Content-Type-Options: nosniff');
header('Cache-Control: no-store');

if ($path === '/page.js') {
    header('Content-Type: text/javascript; charset=utf-8');
    readfile(__DIR__ . '/page.js');
    return;
}

if ($path === '/login' && $post) {
    // Your application asks for a password here.
    session_regenerate_id(true);
    $_SESSION['user'] = preg_replace('/[^0-9]/', '', $_POST['user'] ?? '');
    header('Location: /', true, 303);
    return;
}

$user = $_SESSION['user'] ?? '';
session_write_close();

if ($path === '/token') {
    http_response_code($user === '' ? 401 : 200);
    header('Content-Type: text/plain');
    echo $user === '' ? '' : token(getenv('PUSH_SECRET'), $user);
    return;
}

if ($path === '/notify' && $post) {
    try {
        (new Push(getenv('AMQP_URI')))->send("user.{$_POST['to']}", 'notice', ['text' => $_POST['text']], expiresAfter: 3600);
        echo 'RabbitMQ has it: the user sees it now, or on coming back within the hour.';
    } catch (Exception $e) {
        error_log("notifying user {$_POST['to']}: {$e->getMessage()}");
        http_response_code(503);
        echo 'Not sent. Try again.';
    }
    return;
}
?>
<!doctype html>
<html lang="en" data-push="<?= htmlspecialchars(getenv('PUSH_URL')) ?>">
<head>
  <meta charset="utf-8">
  <title>Notices</title>
  <?php if ($user !== ''): ?><script type="module" src="/page.js"></script><?php endif ?>
</head>
<body>
  <?php if ($user === ''): ?>
    <form method="post" action="/login"><label>User <input name="user" required></label> <button>Log in</button></form>
  <?php else: ?>
    <h1>Notices for user <?= htmlspecialchars($user) ?></h1>
    <p id="state" role="status"></p>
    <ol id="notices" aria-live="polite"></ol>
  <?php endif ?>
  <form method="post" action="/notify">
    <label>Notify user <input name="to" required></label> <label>of <input name="text" required></label> <button>Notify</button>
  </form>
</body>
</html>
